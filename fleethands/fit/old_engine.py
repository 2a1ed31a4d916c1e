"""
Ollama's first engine, up to 0.25: an estimate from the header, which /api/ps shows as it is.

Source: fs/ggml/ggml.go GraphSize and llm/server.go llamaServer.Load, v0.24.0. Measured there: exact to the byte.
"""

from __future__ import annotations

from fleethands.fit.errors import NotCovered
from fleethands.fit.load_options import LoadOptions
from fleethands.fit.memory_need import MIB, MemoryNeed
from fleethands.fit.shape import Shape

RESERVE = 457 * MIB  # ml/device.go MinimumMemory
ELEMENT = {"f32": 4.0, "q8_0": 1.0, "q4_0": 0.5}  # bytes; 2 for all others


def estimate(shape: Shape, options: LoadOptions) -> MemoryNeed:
    """What Ollama reckons with. Raises NotCovered for layers that keep a state instead of a cache."""
    if shape.recurrent or not all(shape.kv_heads):
        raise NotCovered(f"the architecture {shape.architecture} has layers without a cache")
    kind, element = "f16", 2.0
    if (options.flash and shape.supports_flash) or options.cache == "f32":  # this engine ignores the type otherwise
        kind, element = options.cache, ELEMENT.get(options.cache, 2.0)
    cells = options.context * options.parallel
    row = shape.key_length + shape.value_length
    cache = [int(cells * row * heads * element) for heads in shape.kv_heads]
    weights = shape.weights
    layers = tuple(size + cached for size, cached in zip(weights.layers, cache, strict=True))
    output = weights.norm + (weights.token if weights.tied else weights.output)
    return MemoryNeed(
        layers, output, inputs=0, cpu_graph=0, gpu_graph=_graph(shape, options, cells, sum(cache)),
        reserve=RESERVE, spare=max(layers), cache=kind, error=0.0,
    )  # fmt: skip


def _graph(shape: Shape, options: LoadOptions, cells: int, cache: int) -> int:
    """What computing needs on a GPU, with all layers on GPUs."""
    batch = max(options.batch, options.context) if shape.pooling else min(options.batch, options.context)
    width, heads, step = shape.embedding, shape.heads, 4 * batch
    vocabulary = step * (width + shape.vocabulary)
    attention = {
        "llama": 1 + 4 * width + cells * (1 + heads),
        "qwen2": 1 + 2 * width + cells * (1 + heads),
        "phi2": 1 + 4 * width + cells * (1 + heads),
        "command-r": 2 + 4 * width + cells * (1 + heads),
        "gemma": 2 + 2 * width + cells * (1 + heads) + 2 * shape.key_length * heads,
        "gemma2": 2 + 2 * width + cells * (1 + heads) + 2 * shape.key_length * heads,
    }.get(shape.architecture)
    if attention is None:
        return heads // min(shape.kv_heads) * cache // 6
    return max(step * attention, vocabulary)
