"""Bytes of tensors, by type and number of elements (ggml.h, ggml-quants.h; ollama fs/ggml/ggml.go, v0.24.0)."""

from __future__ import annotations

from fleethands.fit.errors import HeaderError

# type → (elements of a block, bytes of a block)
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 4: (32, 17), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54),
    35: (256, 66), 39: (32, 17),
}  # fmt: skip


def tensor_size(kind: int, elements: int) -> int:
    """Bytes of a tensor. Raises HeaderError for an unknown type."""
    if kind not in BLOCKS:
        raise HeaderError(f"has tensors of an unknown type: {kind}")
    block, size = BLOCKS[kind]
    return elements // block * size
