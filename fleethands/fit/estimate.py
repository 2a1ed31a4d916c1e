"""Chooses the formula: by Ollama's version, and by the architecture of the model."""

from __future__ import annotations

import re
from dataclasses import replace

from fleethands.fit import llama_server, new_engine, old_engine
from fleethands.fit.errors import NotCovered
from fleethands.fit.load_options import LoadOptions
from fleethands.fit.memory_need import MemoryNeed
from fleethands.fit.shape import Shape

MEASURED = ((0, 24), (0, 25))  # 0.24.0 was measured, and 0.25 has the same engines
SERVER = (0, 30)
NEWEST = (0, 33)  # the newest whose source was read
VISION_CONTEXT = 2048  # tokens that a model with pictures gets at least (server/sched.go)
# server/sched.go load: these answer one request at a time
SERIAL = frozenset(
    (
        "lfm2", "lfm2moe", "mllama", "nemotron_h", "nemotron_h_moe", "nemotron_h_omni",
        "qwen35", "qwen35moe", "qwen3next", "qwen3vl", "qwen3vlmoe",
    )
)  # fmt: skip


def estimate(shape: Shape, options: LoadOptions, *, extra: int = 0) -> MemoryNeed:
    """
    What a model needs when it is loaded.

    + extra: bytes of its projectors and adapters

    Raises NotCovered for a release or a shape that no formula is known to be right for.
    """
    options, release = effective(shape, options), _release(options.version)
    if SERVER <= release <= NEWEST:
        return llama_server.estimate(shape, options).plus(extra)
    if release not in MEASURED:
        raise NotCovered(f"Ollama {options.version} was not measured")
    required = shape.architecture in new_engine.REQUIRED
    if extra and required:
        raise NotCovered(f"the architecture {shape.architecture} with a projector or an adapter was not measured")
    if required or (options.new_engine and not shape.experts and not extra):
        return new_engine.estimate(shape, options)
    return old_engine.estimate(shape, options).plus(extra)


def effective(shape: Shape, options: LoadOptions) -> LoadOptions:
    """The options as Ollama applies them to a model: no more tokens than it was trained for."""
    context = max(options.context, VISION_CONTEXT) if shape.vision.embedding else options.context
    context = min(context, shape.context or context)
    serial = shape.pooling or shape.architecture in SERIAL
    server = _release(options.version) >= SERVER
    return replace(
        options, context=context, parallel=1 if serial else options.parallel, overhead=0 if server else options.overhead
    )


def _release(version: str) -> tuple[int, int]:
    found = re.match(r"([0-9]{1,4})\.([0-9]{1,4})\.", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
