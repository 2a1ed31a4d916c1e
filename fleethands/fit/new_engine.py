"""
Ollama's own engine, up to 0.25: it measures what it allocates.

Weights: ml/backend/ggml/ggml.go New. Cache: kvcache/causal.go. Both are exact. The formula of the graph is fitted to
measurements of v0.24.0, within 3 % of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleethands.fit import attention_cache
from fleethands.fit.errors import NotCovered
from fleethands.fit.load_options import LoadOptions
from fleethands.fit.memory_need import MemoryNeed
from fleethands.fit.old_engine import RESERVE
from fleethands.fit.shape import Shape

# fs/ggml/ggml.go KV.OllamaEngineRequired
REQUIRED = frozenset(
    (
        "bert", "deepseek2", "deepseekocr", "gemma3", "gemma3n", "gemma4", "glm4moelite", "glmocr", "gptoss", "gpt-oss",
        "laguna", "lfm2", "lfm2moe", "llama4", "mistral3", "mllama", "nemotron_h", "nemotron_h_moe", "nemotron_h_omni",
        "nomic-bert", "olmo3", "qwen25vl", "qwen3", "qwen35", "qwen35moe", "qwen3moe", "qwen3next", "qwen3vl",
        "qwen3vlmoe",
    )
)  # fmt: skip
MEASURED = frozenset({"bert", "deepseek2", "gemma3", "gptoss", "gpt-oss", "mistral3", "qwen3", "qwen3moe"})
POSSIBLE = frozenset({"llama", "qwen2"})  # with OLLAMA_NEW_ENGINE
FLASH = frozenset({"gemma3", "gptoss", "gpt-oss", "mistral3", "qwen3", "qwen3moe"})  # GGML.FlashAttention
ELEMENT = {"q8_0": 34 / 32, "q4_0": 18 / 32}  # bytes; 2 for all others


@dataclass(frozen=True)
class _Cache:
    """Cells of each layer, cells of each kind of cache, bytes of each layer's cache, bytes of a cell without heads."""

    cells: list[int]
    kinds: list[int]
    layers: list[int]
    row: int


def estimate(shape: Shape, options: LoadOptions) -> MemoryNeed:
    """What the engine allocates. Raises NotCovered for a shape that was not measured."""
    _check(shape)
    batch = options.context if shape.pooling else min(options.batch, options.context)
    flash = _uses_flash(shape, options)
    cache = _cache(shape, options, batch, flash)
    graph = _graph(shape, options, cache, batch, flash)
    weights = shape.weights
    layers = tuple(size + weights.rope + each for size, each in zip(weights.layers, cache.layers, strict=True))
    output = weights.output + weights.norm + weights.rest + (weights.token if weights.tied else 0)
    return MemoryNeed(
        layers, output, weights.inputs, cpu_graph=graph, gpu_graph=graph + 4 * batch * sum(cache.kinds),
        reserve=RESERVE, cache=options.cache if flash else "f16",
    )  # fmt: skip


def _check(shape: Shape) -> None:
    if shape.architecture not in MEASURED | POSSIBLE or shape.recurrent or not all(shape.kv_heads):
        raise NotCovered(f"the architecture {shape.architecture} was not measured")
    if shape.pooling != (shape.architecture == "bert"):
        raise NotCovered(f"embedding models of the architecture {shape.architecture} were not measured")
    if shape.vision.embedding and shape.architecture != "gemma3":
        raise NotCovered(f"vision models of the architecture {shape.architecture} were not measured")


def _uses_flash(shape: Shape, options: LoadOptions) -> bool:
    if not shape.supports_flash:
        return False
    return shape.architecture in FLASH if options.flash is None else options.flash


def _cache(shape: Shape, options: LoadOptions, batch: int, flash: bool) -> _Cache:
    if shape.pooling:
        return _Cache([], [batch], [0] * shape.layers, 0)
    element = ELEMENT.get(options.cache, 2) if flash else 2
    window = attention_cache.window_cells(shape, options, batch)
    cells = attention_cache.cells_by_layer(shape, options, window)
    full = attention_cache.pad(options.context * options.parallel)
    kinds = [full, window] if attention_cache.has_windows(shape) else [full]
    if shape.compressed:
        row, heads = 2 * shape.lora + shape.rope_dimensions, (1,) * shape.layers
    else:
        row, heads = shape.key_length + shape.value_length, shape.kv_heads
    layers = [int(each * row * count * element) for each, count in zip(cells, heads, strict=True)]
    return _Cache(cells, kinds, layers, row)


def _graph(shape: Shape, options: LoadOptions, cache: _Cache, batch: int, flash: bool) -> int:
    """The largest user of the buffer in which one batch is computed."""
    key = max(shape.key_length, cache.row - shape.lora if shape.lora else 0)
    wide, width = shape.heads * key, 3 * shape.embedding
    mlp = max(3 * shape.feed_forward, 2 * shape.embedding * shape.experts) + width
    if flash:
        graph = 2 * batch * sum(cache.kinds) + 4 * batch * max(mlp, 3 * wide)
    else:
        most = max(cache.cells, default=batch)
        graph = 4 * batch * max(most * shape.heads + 2 * wide + 2 * shape.embedding, mlp)
    graph += 0 if shape.pooling else 4 * shape.vocabulary * options.parallel
    return max(graph, _vision_graph(shape, flash))


def _vision_graph(shape: Shape, flash: bool) -> int:
    each = shape.vision
    scores = 0 if flash else 4 * each.patches**2 * each.heads
    return 4 * each.patches * max(5 * each.embedding, each.feed_forward + 3 * each.embedding) + scores
