"""The numbers of a model's header that its memory depends on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from fleethands.fit.errors import HeaderError, NotCovered
from fleethands.fit.header import MOST_REDUCED, Header, Value, read_header

MOST_LAYERS = 1024
MOST_NUMBER = 1 << 32  # of any other length or count
WITHOUT_FLASH = ("gemma2", "grok")
_BLOCK = re.compile(r"blk\.([0-9]{1,4})\.")
_INPUT = re.compile(r"(^|\.)(position_embd|token_embd|token_norm_embd|token_types)(\.|$)")  # ml/backend/ggml/ggml.go
_NAME = re.compile(r"[a-z0-9_.-]{1,40}\Z")


@dataclass(frozen=True)
class Vision:
    """The part of a model that reads pictures: patches of a picture, length of an embedding, and so on."""

    patches: int
    embedding: int
    feed_forward: int
    heads: int


@dataclass(frozen=True)
class Weights:
    """
    Bytes of the tensors.

    + layers: of each layer
    + output: `output.*`; norm: `output_norm.*`; token: `token_embd.weight`; tied: it is the output, too
    + inputs: those that stay in main memory; rope: `rope_*`, which each layer has a copy of; rest: all others
    """

    layers: tuple[int, ...]
    output: int
    norm: int
    token: int
    inputs: int
    rope: int
    rest: int
    tied: bool


@dataclass(frozen=True)
class Shape:
    """
    A model as its header describes it.

    + kv_heads: of each layer
    + feed_forward: of all experts that answer a token together, if there are several
    + experts: how many experts answer a token; 0 without experts
    + context: tokens that it was trained for, 0 if unknown
    + window: tokens that a layer with a sliding window sees, 0 without one
    + lora, rope_dimensions: of multi-head latent attention; compressed: whether the cache is, too
    + pooling: it makes embeddings, and answers no prompts
    + recurrent: it has layers that keep a state instead of a cache
    """

    architecture: str
    embedding: int
    heads: int
    kv_heads: tuple[int, ...]
    key_length: int
    value_length: int
    feed_forward: int
    experts: int
    context: int
    vocabulary: int
    window: int
    lora: int
    rope_dimensions: int
    compressed: bool
    pooling: bool
    recurrent: bool
    vision: Vision
    weights: Weights

    @property
    def layers(self) -> int:
        """How many layers it has, without the output."""
        return len(self.kv_heads)

    @property
    def supports_flash(self) -> bool:
        """Whether flash attention works for it (ollama fs/ggml/ggml.go SupportsFlashAttention, v0.24.0)."""
        same = self.key_length == self.value_length > 0
        return same and not self.pooling and self.architecture not in WITHOUT_FLASH

    @classmethod
    def from_header(cls, header: Header) -> Shape:
        """The shape. Raises HeaderError for numbers that no model has, NotCovered for one of several files."""
        if _number(header.values.get("split.count", 0)) > 1:
            raise NotCovered("its weights are split into several files")
        architecture = header.values.get("general.architecture")
        if not isinstance(architecture, str) or not _NAME.match(architecture):
            raise HeaderError("names no architecture")
        values = {key.removeprefix(f"{architecture}."): value for key, value in header.values.items()}

        def get(key: str, default: int = 0) -> int:
            return max(_numbers(values.get(key, default)), default=0)

        layers = get("block_count")
        if not 1 <= layers <= MOST_LAYERS:
            raise HeaderError("has no layers, or too many")
        heads, embedding = max(1, get("attention.head_count", 1)), get("embedding_length")
        return cls(
            architecture=architecture,
            embedding=embedding,
            heads=heads,
            kv_heads=_per_layer(values.get("attention.head_count_kv", 1), layers),
            key_length=get("attention.key_length", embedding // heads),
            value_length=get("attention.value_length", embedding // heads),
            feed_forward=_feed_forward(get),
            experts=get("expert_used_count"),
            context=get("context_length"),
            vocabulary=_length(header.values.get("tokenizer.ggml.tokens", 0)),
            window=get("attention.sliding_window"),
            lora=get("attention.kv_lora_rank"),
            rope_dimensions=get("rope.dimension_count"),
            compressed=bool(get("attention.kv_lora_rank") and get("attention.key_length_mla")),
            pooling=f"{architecture}.pooling_type" in header.values,
            recurrent=any(key.startswith("ssm.") for key in values),
            vision=_vision(get),
            weights=_weights(header, layers),
        )


@lru_cache(64)
def read_shape(data: bytes) -> Shape:
    """
    The shape in a header that a host sent (gguf_header.pl). Many hosts send the same one.

    Raises HeaderError, NotCovered.
    """
    return Shape.from_header(read_header(BytesIO(data), MOST_REDUCED))


def _number(value: Value) -> int:
    """A whole number. Raises HeaderError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_NUMBER:
        raise HeaderError("has a number that no model has")
    return value


def _numbers(value: Value) -> tuple[int, ...]:
    return tuple(map(_number, value)) if isinstance(value, tuple) else (_number(value),)


def _length(value: Value) -> int:
    return len(value) if isinstance(value, tuple) else _number(value)


def _per_layer(value: Value, layers: int) -> tuple[int, ...]:
    found = _numbers(value)
    if len(found) not in (1, layers):
        raise HeaderError("has numbers for more or fewer layers than it has")
    return found * layers if len(found) == 1 else found


def _feed_forward(get: Callable[..., int]) -> int:
    used = get("expert_used_count")
    if not used:
        return get("feed_forward_length")
    return used * (get("expert_feed_forward_length") or get("feed_forward_length"))


def _vision(get: Callable[..., int]) -> Vision:
    side = get("vision.image_size") // max(1, get("vision.patch_size"))
    return Vision(
        side**2, get("vision.embedding_length"), get("vision.feed_forward_length"), get("vision.attention.head_count")
    )


def _weights(header: Header, layers: int) -> Weights:
    blocks, parts = [0] * layers, dict.fromkeys(("output", "norm", "inputs", "rope", "rest"), 0)
    for name, size in header.tensors.items():
        block = _BLOCK.match(name)
        if block and int(block[1]) < layers:
            blocks[int(block[1])] += size
        else:
            parts[_part(name)] += size
    tied = not any(name.startswith("output.") for name in header.tensors)
    return Weights(tuple(blocks), token=header.tensors.get("token_embd.weight", 0), tied=tied, **parts)


def _part(name: str) -> str:
    if _INPUT.search(name):
        return "inputs"
    if name.startswith("rope_f"):
        return "rope"
    return {"output": "output", "output_norm": "norm"}.get(name.partition(".")[0], "rest")
