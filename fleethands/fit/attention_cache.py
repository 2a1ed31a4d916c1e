"""Cells of the key and value cache, layer by layer, for layers that see all tokens or a sliding window."""

from __future__ import annotations

from fleethands.fit.load_options import LoadOptions
from fleethands.fit.shape import Shape

PAD = 256  # cells are allocated in steps of this many
GPT_OSS = ("gptoss", "gpt-oss")
GPT_OSS_MEMORY = 4096  # tokens that the new engine keeps for gpt-oss, whose window is smaller (kvcache/causal.go)


def pad(cells: int) -> int:
    """The next multiple of PAD."""
    return -(-cells // PAD) * PAD


def has_windows(shape: Shape) -> bool:
    """Whether some layers see only a window."""
    return shape.architecture in GPT_OSS or (shape.architecture == "gemma3" and shape.window > 0)


def window_cells(shape: Shape, options: LoadOptions, batch: int, least: int = GPT_OSS_MEMORY) -> int:
    """
    Cells of a layer with a sliding window.

    + least: tokens that gpt-oss keeps at least
    """
    full = pad(options.context * options.parallel)
    window = max(shape.window, shape.window + 1 if options.parallel > 1 else 0)
    if shape.architecture in GPT_OSS:
        window = max(window, least)
    return full if window >= options.context else pad(options.parallel * window + batch)


def cells_by_layer(shape: Shape, options: LoadOptions, window: int) -> list[int]:
    """Cells of each layer. Every sixth layer of gemma3 and every second of gpt-oss sees all tokens."""
    full = pad(options.context * options.parallel)
    if shape.architecture == "gemma3" and shape.window:
        return [full if (layer + 1) % 6 == 0 else window for layer in range(shape.layers)]
    if shape.architecture in GPT_OSS:
        return [full if layer % 2 else window for layer in range(shape.layers)]
    return [full] * shape.layers
