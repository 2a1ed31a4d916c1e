"""GGUF files of any shape, written here: headers for tests without a host, and whole files that a real Ollama loads."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

F32, F16, Q8_0 = 0, 1, 8
BLOCKS = {F32: (1, 4), F16: (1, 2), Q8_0: (32, 34)}
ALIGNED = 32
Tensor = tuple[str, tuple[int, ...], int]


@dataclass(frozen=True)
class GgufModel:
    """
    A model of one shape, with random or no weights.

    + head: length of a head; None: embedding / heads
    + experts: (all, those that answer a token)
    + extra: further values of the header, without the architecture in front of the key
    """

    architecture: str
    layers: int
    embedding: int
    heads: int
    kv_heads: int
    head: int | None = None
    feed_forward: int = 512
    vocabulary: int = 1000
    context: int = 131072
    experts: tuple[int, int] | None = None
    window: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def length(self) -> int:
        return self.head or self.embedding // self.heads

    @property
    def values(self) -> dict[str, Any]:
        """All values of the header."""
        own: dict[str, Any] = {
            "context_length": self.context, "embedding_length": self.embedding, "block_count": self.layers,
            "feed_forward_length": self.feed_forward, "attention.head_count": self.heads,
            "attention.head_count_kv": self.kv_heads, "attention.layer_norm_rms_epsilon": 1e-5,
            "attention.key_length": self.length, "attention.value_length": self.length,
            "rope.dimension_count": self.length, "rope.freq_base": 10000.0,
        }  # fmt: skip
        if self.experts:
            own |= {"expert_count": self.experts[0], "expert_used_count": self.experts[1]}
            own["expert_feed_forward_length"] = self.feed_forward
        if self.window:
            own["attention.sliding_window"] = self.window
        named = {f"{self.architecture}.{key}": value for key, value in {**own, **self.extra}.items()}
        return {"general.architecture": self.architecture, **named, **self._tokenizer()}

    def _tokenizer(self) -> dict[str, Any]:
        control = ["<unk>", "<s>", "</s>"]
        tokens = [*control, *(f"<0x{code:02X}>" for code in range(256))]
        tokens += [f"t{number}" for number in range(len(tokens), self.vocabulary)]
        kinds = [2, 3, 3, *[6] * 256, *[1] * (self.vocabulary - 259)]
        return {
            "tokenizer.ggml.model": "llama", "tokenizer.ggml.pre": "default",
            "tokenizer.ggml.tokens": tokens[: self.vocabulary],
            "tokenizer.ggml.scores": [0.0] * self.vocabulary,
            "tokenizer.ggml.token_type": kinds[: self.vocabulary], "tokenizer.ggml.bos_token_id": 1,
            "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0,
            "tokenizer.ggml.add_bos_token": True,
        }  # fmt: skip

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors: name, dimensions, type."""
        tied = self.architecture.startswith("gemma")
        wide = (self.embedding, self.vocabulary)
        ends: list[Tensor] = [("token_embd.weight", wide, F16), ("output_norm.weight", (self.embedding,), F32)]
        ends += [] if tied else [("output.weight", wide, F16)]
        return ends + [each for number in range(self.layers) for each in self._layer(f"blk.{number}.")]

    def _layer(self, block: str) -> Iterator[Tensor]:
        width, query, key = self.embedding, self.heads * self.length, self.kv_heads * self.length
        norms = {
            "attn_norm": width,
            "ffn_norm": width,
            **(NORMS[self.architecture](self) if self.architecture in NORMS else {}),
        }
        yield from ((f"{block}{name}.weight", (size,), F32) for name, size in norms.items())
        sizes = {
            "attn_q": (width, query),
            "attn_k": (width, key),
            "attn_v": (width, key),
            "attn_output": (query, width),
        }
        yield from ((f"{block}{name}.weight", shape, F16) for name, shape in sizes.items())
        if self.architecture == "qwen2":
            yield from ((f"{block}{name}.bias", sizes[name][1:], F32) for name in ("attn_q", "attn_k", "attn_v"))
        yield from self._feed_forward(block)

    def _feed_forward(self, block: str) -> Iterator[Tensor]:
        inner, outer = (self.embedding, self.feed_forward), (self.feed_forward, self.embedding)
        parts = {"ffn_gate": inner, "ffn_up": inner, "ffn_down": outer}
        if not self.experts:
            yield from ((f"{block}{name}.weight", shape, F16) for name, shape in parts.items())
            return
        yield f"{block}ffn_gate_inp.weight", (self.embedding, self.experts[0]), F32
        yield from ((f"{block}{name}_exps.weight", (*shape, self.experts[0]), F16) for name, shape in parts.items())

    def header(self) -> bytes:
        """The bytes in front of the weights."""
        return header_bytes(self.values, self.tensors)


def file_size(model: GgufModel) -> int:
    """Bytes of the whole file of a model. What follows the header may be zeros: Ollama loads it all the same."""
    return len(model.header()) + sum(-(-tensor_bytes(each) // ALIGNED) * ALIGNED for each in model.tensors)


def _query_norms(model: GgufModel) -> dict[str, int]:
    return {"attn_q_norm": model.length, "attn_k_norm": model.length}


def _post_norms(model: GgufModel) -> dict[str, int]:
    return {"post_attention_norm": model.embedding, "post_ffw_norm": model.embedding}


NORMS: dict[str, Callable[[GgufModel], dict[str, int]]] = {
    "qwen3": _query_norms,
    "qwen3moe": _query_norms,
    "gemma2": _post_norms,
    "gemma3": lambda model: {**_query_norms(model), **_post_norms(model)},
}


def header_bytes(values: Mapping[str, Any], tensors: list[Tensor], version: int = 3) -> bytes:
    """A header of these values and tensors, padded to where the weights begin."""
    found = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(values))
    found += b"".join(_text(key) + _value(value) for key, value in values.items())
    place = 0
    for name, shape, kind in tensors:
        found += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, place)
        place += -(-tensor_bytes((name, shape, kind)) // ALIGNED) * ALIGNED
    return found + bytes(-len(found) % ALIGNED)


def tensor_bytes(tensor: Tensor) -> int:
    _, shape, kind = tensor
    elements = 1
    for each in shape:
        elements *= each
    block, size = BLOCKS[kind]
    return elements // block * size


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    kind, data = _typed(value)
    return struct.pack("<I", kind) + data


def _typed(value: Any) -> tuple[int, bytes]:
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    if isinstance(value, str):
        return 8, _text(value)
    if all(isinstance(each, int) for each in value):  # Ollama reads types of tokens as signed numbers
        return 9, struct.pack(f"<IQ{len(value)}i", 5, len(value), *value)
    kinds = [_typed(each) for each in value]
    return 9, struct.pack("<IQ", kinds[0][0], len(kinds)) + b"".join(data for _, data in kinds)
