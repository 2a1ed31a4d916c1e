"""How Ollama loads a model on a host: its settings, its variables, and the model's own parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleethands.facts.model_file import ModelFile
from fleethands.fit.load_options import BATCH, LoadOptions
from fleethands.settings import HostSettings
from fleethands.settings.schema.ollama_env import GO_FALSE

GIB = 1 << 30
# server/routes.go Serve, v0.24.0: the context if none is declared, by the memory of all GPUs
CONTEXTS = ((47 * GIB, 262144), (23 * GIB, 32768), (0, 4096))


def load_options(settings: HostSettings, file: ModelFile, gpus: Sequence[int]) -> LoadOptions:
    """
    The options that the declared state has for a model.

    + gpus: bytes of each GPU that Ollama uses
    """
    variables, own = settings.ollama_environment, file.parameters
    overhead = _number(variables, "OLLAMA_GPU_OVERHEAD", 0)
    declared = _number(variables, "OLLAMA_CONTEXT_LENGTH", 0) or _default_context(gpus, overhead)
    return LoadOptions(
        version=settings.ollama_version,
        context=own.get("num_ctx") or declared,
        parallel=_number(variables, "OLLAMA_NUM_PARALLEL", 1) or 1,
        cache=variables.get("OLLAMA_KV_CACHE_TYPE", "").lower() or "f16",
        flash=_flag(variables, "OLLAMA_FLASH_ATTENTION"),
        new_engine=bool(_flag(variables, "OLLAMA_NEW_ENGINE")),
        overhead=overhead,
        target=_number(variables, "LLAMA_ARG_FIT_TARGET", 1024),
        spread=bool(_flag(variables, "OLLAMA_SCHED_SPREAD")),
        gpu_layers=own.get("num_gpu", -1),
        batch=own.get("num_batch") or BATCH,
    )


def _default_context(gpus: Sequence[int], overhead: int) -> int:
    total = sum(gpus) - overhead * len(gpus)
    return next((tokens for least, tokens in CONTEXTS if total >= least), CONTEXTS[-1][1])


def _number(variables: Mapping[str, str], name: str, default: int) -> int:
    text = variables.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else default


def _flag(variables: Mapping[str, str], name: str) -> bool | None:
    """None if it is not set. Go takes every other word for true."""
    text = variables.get(name, "")
    return text not in GO_FALSE if text else None
