"""Every variable Ollama reads, with its type (ollama envconfig/config.go, v0.32.15)."""

from __future__ import annotations

import difflib
import re
from typing import Any

from fleethands.settings.secret import Secret

BOOL, UINT, DURATION, TEXT = "bool", "uint", "duration", "text"
VARIABLES = {
    "OLLAMA_DEBUG": UINT,
    "OLLAMA_DEBUG_LOG_REQUESTS": BOOL,
    "OLLAMA_FLASH_ATTENTION": BOOL,
    "OLLAMA_GO_TEMPLATE": BOOL,
    "OLLAMA_GPU_OVERHEAD": UINT,
    "OLLAMA_IGPU_ENABLE": BOOL,
    "OLLAMA_KV_CACHE_TYPE": TEXT,
    "OLLAMA_LLM_LIBRARY": TEXT,
    "OLLAMA_LOAD_TIMEOUT": DURATION,
    "OLLAMA_MAX_LOADED_MODELS": UINT,
    "OLLAMA_MAX_QUEUE": UINT,
    "OLLAMA_MAX_TRANSFER_STREAMS": UINT,
    "OLLAMA_NOHISTORY": BOOL,
    "OLLAMA_NOPRUNE": BOOL,
    "OLLAMA_NO_CLOUD": BOOL,
    "OLLAMA_NUM_PARALLEL": UINT,
    "OLLAMA_REMOTES": TEXT,
    "OLLAMA_SCHED_SPREAD": BOOL,
    "OLLAMA_VULKAN": BOOL,
    "OLLAMA_API_KEY": TEXT,
    "LLAMA_ARG_FIT": TEXT,
    "LLAMA_ARG_FIT_TARGET": TEXT,
    "CUDA_VISIBLE_DEVICES": TEXT,
    "HIP_VISIBLE_DEVICES": TEXT,
    "ROCR_VISIBLE_DEVICES": TEXT,
    "GGML_VK_VISIBLE_DEVICES": TEXT,
    "GPU_DEVICE_ORDINAL": TEXT,
    "HSA_OVERRIDE_GFX_VERSION": TEXT,
    "HTTPS_PROXY": TEXT,
    "NO_PROXY": TEXT,
    "https_proxy": TEXT,
    "no_proxy": TEXT,
}
ELSEWHERE = {
    "OLLAMA_HOST": "ollama_host",
    "OLLAMA_ORIGINS": "ollama_origins",
    "OLLAMA_CONTEXT_LENGTH": "ollama_context_length",
    "OLLAMA_KEEP_ALIVE": "ollama_keep_alive",
    "OLLAMA_MODELS": "ollama_models_dir",
}
FALSE_WORDS = {"no", "off", "disable", "disabled", "none", "n"}
TRUE_WORDS = {"yes", "on", "enable", "enabled", "y"}
GO_TRUE, GO_FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"0", "f", "F", "FALSE", "false", "False"}
GO_DURATION = re.compile(r"-?(\d+|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)\Z")


def check_environment(values: dict[str, Any]) -> dict[str, Any]:
    """The same variables, if Ollama reads each as it is meant. Raises ValueError naming the variable."""
    for name, value in values.items():
        if name in ELSEWHERE:
            raise ValueError(f"`{name}`: expected as the setting `{ELSEWHERE[name]}`")
        if name in {"HTTP_PROXY", "http_proxy"}:
            raise ValueError(f"`{name}`: expected `HTTPS_PROXY`: a plain proxy breaks Ollama's own clients")
        if name not in VARIABLES:
            near = difflib.get_close_matches(name, [*VARIABLES, *ELSEWHERE], 1)
            raise ValueError(f"`{name}`: Ollama reads no such variable" + (f", nearest is `{near[0]}`" if near else ""))
        if not isinstance(value, Secret):
            _check(name, value, VARIABLES[name])
    return values


def _check(name: str, value: object, kind: str) -> None:
    text = str(value)
    if "\0" in text:
        raise ValueError(f"`{name}`: expected no zero byte")
    if kind == BOOL and not isinstance(value, bool) and text not in GO_TRUE | GO_FALSE:
        meant = "False" if text.lower() in FALSE_WORDS else "True" if text.lower() in TRUE_WORDS else "True or False"
        raise ValueError(f"`{name}`: expected {meant}, got `{text}`, which Ollama takes for true")
    if kind == UINT and (isinstance(value, bool) or not re.fullmatch(r"[0-9]+", text)):
        raise ValueError(f"`{name}`: expected a whole number, got `{text}`, which Ollama replaces by its default")
    if kind == DURATION and not GO_DURATION.match(text):
        raise ValueError(f"`{name}`: expected a duration as `90s` or `5m`, got `{text}`")
