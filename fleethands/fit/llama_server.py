"""
llama.cpp's server, which Ollama starts since 0.30: figures that are about right.

Source: llm/llama_server.go and server/sched.go automaticGenerationBatch, v0.32.15. Not measured here.
"""

from __future__ import annotations

from fleethands.fit import attention_cache
from fleethands.fit.errors import NotCovered
from fleethands.fit.load_options import BATCH, LoadOptions
from fleethands.fit.memory_need import MIB, MemoryNeed
from fleethands.fit.new_engine import ELEMENT
from fleethands.fit.shape import Shape

KNOWN = frozenset(("llama", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "mistral3", "gemma3", "gptoss", "gpt-oss"))
ERROR = 0.15


def estimate(shape: Shape, options: LoadOptions) -> MemoryNeed:
    """What it allocates, about. Raises NotCovered for other architectures."""
    if shape.architecture not in KNOWN or shape.recurrent or shape.pooling or not all(shape.kv_heads):
        raise NotCovered(f"the architecture {shape.architecture} is not covered for Ollama {options.version}")
    batch = min(_batch(options), options.context * options.parallel)
    window = attention_cache.window_cells(shape, options, batch, least=0)
    cells = attention_cache.cells_by_layer(shape, options, window)
    element = ELEMENT.get(options.cache, 2)
    row = shape.key_length + shape.value_length
    cache = [int(each * row * heads * element) for each, heads in zip(cells, shape.kv_heads, strict=True)]
    weights = shape.weights
    graph = _graph(shape, options, batch, max(cells))
    return MemoryNeed(
        tuple(size + each for size, each in zip(weights.layers, cache, strict=True)),
        weights.output + weights.norm + weights.rest + weights.rope + (weights.token if weights.tied else 0),
        weights.inputs, cpu_graph=graph, gpu_graph=graph, reserve=options.target * MIB,
        cache=options.cache, error=ERROR,
    )  # fmt: skip


def _batch(options: LoadOptions) -> int:
    if options.batch != BATCH:
        return options.batch
    cells = options.context * options.parallel
    return 2048 if cells > 32768 else 1024 if cells > 4096 else BATCH


def _graph(shape: Shape, options: LoadOptions, batch: int, cells: int) -> int:
    logits = shape.vocabulary + shape.embedding
    mlp = 3 * shape.feed_forward + 3 * shape.embedding
    if options.flash is False:
        mlp = max(mlp, cells * shape.heads + 2 * shape.heads * shape.key_length + 2 * shape.embedding)
    return 4 * batch * max(logits, mlp) + 2 * batch * cells
