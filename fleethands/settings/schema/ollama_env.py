"""All environment variables of Ollama's service (ollama envconfig/config.go, v0.32.15)."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

from fleethands.settings.expected import InvalidValue, check_text
from fleethands.settings.values.durations import check_duration

BOOL, UINT, LEVEL, DURATION, TEXT = "True or False", "whole number", "0, 1 or 2", "duration", "text"


@dataclass(frozen=True)
class Variable:
    """
    One variable.

    + kind: the values that it accepts
    + meaning: what it does
    + default: Ollama's default, if there is one
    """

    kind: str
    meaning: str
    default: str = ""


VARIABLES = {
    "OLLAMA_DEBUG": Variable(LEVEL, "how much is logged: 1 debug, 2 trace", "0"),
    "OLLAMA_DEBUG_LOG_REQUESTS": Variable(BOOL, "write the bodies of requests, prompts included, to a directory", "0"),
    "OLLAMA_FLASH_ATTENTION": Variable(BOOL, "flash attention: 1 on, 0 off", "chosen for each model"),
    "OLLAMA_GO_TEMPLATE": Variable(BOOL, "render prompts with the model file's own template", "1"),
    "OLLAMA_GPU_OVERHEAD": Variable(UINT, "bytes of each GPU's memory to leave free", "0"),
    "OLLAMA_IGPU_ENABLE": Variable(BOOL, "use integrated GPUs"),
    "OLLAMA_KV_CACHE_TYPE": Variable(TEXT, "type of the key and value cache, such as `q8_0`, `q4_0`", "f16"),
    "OLLAMA_LLM_LIBRARY": Variable(TEXT, "load this library instead of the one found, such as `cuda_v12`, `cpu`"),
    "OLLAMA_LOAD_TIMEOUT": Variable(DURATION, "how long loading a model may make no progress; 0 is forever", "5m"),
    "OLLAMA_MAX_LOADED_MODELS": Variable(UINT, "models loaded at a time; 0: three for each GPU", "0"),
    "OLLAMA_MAX_QUEUE": Variable(UINT, "requests that may wait; further ones get status 503", "512"),
    "OLLAMA_MAX_TRANSFER_STREAMS": Variable(UINT, "streams of a pull, for safetensors models only", "4"),
    "OLLAMA_NOHISTORY": Variable(BOOL, "the interactive client keeps no history; no effect on the service", "0"),
    "OLLAMA_NOPRUNE": Variable(BOOL, "keep blobs that no model uses", "0"),
    "OLLAMA_NO_CLOUD": Variable(BOOL, "no cloud models and no web search", "0"),
    "OLLAMA_NUM_PARALLEL": Variable(UINT, "requests that a model answers at a time; each takes a whole context", "1"),
    "OLLAMA_REMOTES": Variable(TEXT, "hosts that remote models may come from, by comma", "ollama.com"),
    "OLLAMA_SCHED_SPREAD": Variable(BOOL, "spread a model over all GPUs even if one would hold it", "0"),
    "OLLAMA_VULKAN": Variable(BOOL, "look for GPUs by Vulkan too", "1"),
    "OLLAMA_API_KEY": Variable(TEXT, "key for ollama.com's API; give it as a Secret"),
    "OLLAMA_CLOUD_BASE_URL": Variable(TEXT, "where cloud models are asked for", "https://ollama.com"),
    "LLAMA_ARG_FIT": Variable(TEXT, "whether llama.cpp fits a model to the memory: `on` or `off`", "on"),
    "LLAMA_ARG_FIT_TARGET": Variable(TEXT, "memory that fitting leaves free, in MiB"),
    "CUDA_VISIBLE_DEVICES": Variable(TEXT, "NVIDIA GPUs to use, best by UUID; `-1` for none"),
    "HIP_VISIBLE_DEVICES": Variable(TEXT, "AMD GPUs to use, by number"),
    "ROCR_VISIBLE_DEVICES": Variable(TEXT, "AMD GPUs to use, best by UUID"),
    "GGML_VK_VISIBLE_DEVICES": Variable(TEXT, "Vulkan devices to use, by number"),
    "GPU_DEVICE_ORDINAL": Variable(TEXT, "AMD GPUs to use, by number"),
    "HSA_OVERRIDE_GFX_VERSION": Variable(TEXT, "AMD GPU generation to be taken for, such as `10.3.0`"),
    "HTTPS_PROXY": Variable(TEXT, "proxy for pulls; give it as a Secret where it has a password"),
    "NO_PROXY": Variable(TEXT, "hosts to reach without the proxy, by comma"),
    "https_proxy": Variable(TEXT, "as `HTTPS_PROXY`"),
    "no_proxy": Variable(TEXT, "as `NO_PROXY`"),
    "OLLAMA_EXPERIMENT": Variable(TEXT, "experiments to switch on, by comma"),
    "OLLAMA_INTEL_GPU": Variable(BOOL, "look for Intel's GPUs", "0"),
    "OLLAMA_MAX_VRAM": Variable(UINT, "bytes of GPU memory to use at the most", "0"),
    "OLLAMA_MULTIUSER_CACHE": Variable(BOOL, "a prompt cache for several users", "0"),
    "OLLAMA_NEW_ENGINE": Variable(BOOL, "Ollama's own engine in place of llama.cpp's", "0"),
    "OLLAMA_NEW_ESTIMATES": Variable(BOOL, "newer estimates of the memory that a model takes", "0"),
    "OLLAMA_REGISTRY_MAXSTREAMS": Variable(UINT, "streams of a pull by the newer client"),
    "OLLAMA_RUNNERS_DIR": Variable(TEXT, "where runners lie"),
    "OLLAMA_TMPDIR": Variable(TEXT, "where temporary files lie"),
}
# prefixes of variables of Ollama's libraries: CUDA, ROCm, Vulkan, ggml, llama.cpp, OpenMP; any text is accepted
LIBRARY_PREFIXES = (
    *("AMD_", "CUBLAS_", "CUDA_", "GGML_", "GPU_", "HIP_", "HSA_", "LLAMA_ARG_", "MESA_", "NCCL_", "NVIDIA_", "OMP_"),
    *("RADV_", "ROCBLAS_", "ROCR_", "VK_"),
)
GO_VARIABLES = ("GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "SSL_CERT_DIR", "SSL_CERT_FILE")
# variables for requests to the internet; curl reads them like Ollama
PROXY_VARIABLES = ("HTTPS_PROXY", "NO_PROXY", "https_proxy", "no_proxy", "SSL_CERT_DIR", "SSL_CERT_FILE")
SETTINGS = {
    "OLLAMA_HOST": "ollama_host",
    "OLLAMA_ORIGINS": "ollama_origins",
    "OLLAMA_CONTEXT_LENGTH": "ollama_context_length",
    "OLLAMA_KEEP_ALIVE": "ollama_keep_alive",
    "OLLAMA_MODELS": "ollama_models_dir",
}
FALSE_WORDS = {"no", "off", "disable", "disabled", "none", "n"}
TRUE_WORDS = {"yes", "on", "enable", "enabled", "y"}
GO_TRUE, GO_FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"0", "f", "F", "FALSE", "false", "False"}
_STRIPPED = " \t\r\n\"'"  # envconfig's Var removes these from both ends


class UnknownVariable(ValueError):
    """A variable that Ollama does not read, or that has a setting of its own."""


def check_name(name: str) -> None:
    """
    Raises UnknownVariable, with the nearest name, for a variable that Ollama and its libraries do not read.

    An unknown `OLLAMA_` name may be newer than the list: ollama_env_releases.py decides by the release.
    """
    if name in SETTINGS:
        raise UnknownVariable(f"use the setting `{SETTINGS[name]}`")
    if name in {"HTTP_PROXY", "http_proxy"}:
        raise UnknownVariable("expected `HTTPS_PROXY`: a plain proxy breaks Ollama's own clients")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(name), re.ASCII):
        raise UnknownVariable(describe_unknown(name))
    if is_known(name) or (str(name).startswith("OLLAMA_") and not _near(name, TYPO)):
        return
    raise UnknownVariable(describe_unknown(name))


def is_known(name: str) -> bool:
    """Whether Ollama or one of its libraries reads a variable."""
    if name in VARIABLES or name in SETTINGS or name in GO_VARIABLES:
        return True
    # HSA_OVERRIDE_GFX_VERSION_1 is for the second GPU
    numbered = re.sub(r"_[0-9]+\Z", "", str(name)) in VARIABLES
    return str(name).startswith(LIBRARY_PREFIXES) and (numbered or not _near(name, TYPO))


def describe_unknown(name: str) -> str:
    """A message that Ollama reads no such variable, with the nearest name."""
    near = _near(name, 0.6)
    return "Ollama reads no such variable" + (f", nearest is `{near[0]}`" if near else "")


TYPO = 0.9  # similarity from which a name is a misspelling of another


def _near(name: str, cutoff: float) -> list[str]:
    return difflib.get_close_matches(str(name), [*VARIABLES, *SETTINGS], 1, cutoff)


def kind_of(name: str) -> str:
    """The values that a variable accepts."""
    return VARIABLES[name].kind if name in VARIABLES else TEXT


def check_value(name: str, value: Any) -> None:
    """Raises InvalidValue, with the correct form, for a value that Ollama would misread."""
    kind = kind_of(name)
    if not isinstance(value, str | int | float):
        raise InvalidValue({TEXT: "text", DURATION: "a duration"}.get(kind, f"{'' if kind == BOOL else 'a '}{kind}"))
    said = check_text(str(value))
    if kind == BOOL and not isinstance(value, bool) and said not in GO_TRUE | GO_FALSE:
        meant = "False" if said.lower() in FALSE_WORDS else "True" if said.lower() in TRUE_WORDS else "True or False"
        raise InvalidValue(meant, "which Ollama takes for true")
    if kind == UINT and (isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,19}", said)):
        raise InvalidValue("a whole number", "which Ollama replaces by its default")
    if kind == LEVEL and not isinstance(value, bool) and said not in {"0", "1", "2"}:
        raise InvalidValue("0, 1 or 2")
    if kind == DURATION:
        check_duration(value)
    if kind == TEXT and name.startswith("OLLAMA_") and said != said.strip(_STRIPPED):
        raise InvalidValue("text without quotes or spaces at its ends", "which Ollama takes off")
