"""What a model is loaded with."""

from __future__ import annotations

from dataclasses import dataclass

BATCH = 512  # tokens that are computed together (ollama api/types.go DefaultOptions, v0.24.0)


@dataclass(frozen=True)
class LoadOptions:
    """
    How Ollama loads a model.

    + version: of Ollama
    + context: tokens of each request; parallel: requests at a time
    + cache: type of the key and value cache
    + flash: OLLAMA_FLASH_ATTENTION, None if it is not set
    + new_engine: OLLAMA_NEW_ENGINE
    + overhead: bytes of each GPU that stay free (OLLAMA_GPU_OVERHEAD); target: MiB, of llama.cpp (LLAMA_ARG_FIT_TARGET)
    + spread: all GPUs are used, even if fewer would do (OLLAMA_SCHED_SPREAD)
    + gpu_layers: the model's own `num_gpu`; -1: as many as fit
    """

    version: str
    context: int
    parallel: int = 1
    cache: str = "f16"
    flash: bool | None = None
    new_engine: bool = False
    overhead: int = 0
    target: int = 1024
    spread: bool = False
    gpu_layers: int = -1
    batch: int = BATCH
