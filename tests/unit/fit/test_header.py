"""Headers of GGUF files: read as they are written, and refused in a moment where no model has such a header."""

from __future__ import annotations

import random
import struct
import subprocess
import tracemalloc
from importlib.resources import files
from io import BytesIO
from typing import Any

import pytest

from fleethands.fit.errors import HeaderError, NotCovered
from fleethands.fit.header import read_header
from fleethands.fit.shape import Shape, read_shape
from tests.helpers.gguf_models import GgufModel, header_bytes

MODEL = GgufModel("qwen3moe", 3, 256, 8, 2, 64, 128, 5000, experts=(16, 4))
READER = str(files("fleethands").joinpath("facts/gguf_header.pl"))


def reduced(data: bytes) -> subprocess.CompletedProcess[bytes]:
    """What a host sends of a file that begins so."""
    return subprocess.run(["perl", READER, str(32 << 20)], input=data, capture_output=True, check=False, timeout=20)


def read(data: bytes) -> Shape:
    return Shape.from_header(read_header(BytesIO(data)))


def test_a_header_has_the_numbers_that_were_written() -> None:
    shape = read(MODEL.header())

    assert (shape.architecture, shape.layers, shape.embedding, shape.heads) == ("qwen3moe", 3, 256, 8)
    assert (shape.kv_heads, shape.key_length, shape.experts) == ((2, 2, 2), 64, 4)
    assert (shape.feed_forward, shape.vocabulary, shape.context) == (4 * 128, 5000, 131072)
    assert shape.weights.layers == (shape.weights.layers[0],) * 3
    assert (shape.weights.token, shape.weights.output, shape.weights.tied) == (2 * 256 * 5000, 2 * 256 * 5000, False)


def test_a_host_sends_the_same_shape_in_a_few_kilobytes() -> None:
    whole = MODEL.header() + bytes(100_000)

    done = reduced(whole)

    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout) < len(whole) / 20
    assert read_shape(done.stdout) == read(whole)


def test_long_texts_are_left_out() -> None:
    values = {**MODEL.values, "tokenizer.chat_template": "x" * 100_000, "general.name": "short"}
    header = read_header(BytesIO(header_bytes(values, MODEL.tensors)))
    sent = read_header(BytesIO(reduced(header_bytes(values, MODEL.tensors)).stdout))

    assert header.values["tokenizer.chat_template"] == ""
    assert header.values["general.name"] == "short"
    assert (sent.values, sent.tensors) == (header.values, header.tensors)


def field(name: str, kind: int, data: bytes) -> bytes:
    """A header with one value, and no tensor."""
    key = name.encode()
    return b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, len(key)) + key + struct.pack("<I", kind) + data


HOSTILE = {
    "no GGUF": b"<html>" + bytes(100),
    "version 1": b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
    "big-endian": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "endless pairs": b"GGUF" + struct.pack("<IQQ", 3, 0, 2**64 - 1),
    "endless tensors": b"GGUF" + struct.pack("<IQQ", 3, 2**64 - 1, 0),
    "endless name": b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**64 - 1),
    "endless text": field("a", 8, struct.pack("<Q", 2**63)),
    "endless list": field("a", 9, struct.pack("<IQ", 4, 2**64 - 1)),
    "endless list of texts": field("a", 9, struct.pack("<IQ", 8, 2**62)),
    "endless list of bytes": field("a", 9, struct.pack("<IQ", 0, 2**40)),
    "list of lists": field("a", 9, struct.pack("<IQ", 9, 1) * 2000),
    "long list of lists": field("a", 9, struct.pack("<IQ", 9, 5000) * 5000),
    "unknown type": field("a", 99, bytes(8)),
    "unknown type in a list": field("a", 9, struct.pack("<IQ", 99, 5000) + bytes(5000)),
    "cut off": MODEL.header()[:-200],
    "empty": b"",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_header_is_refused_on_the_controller_and_on_the_host(data: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(HeaderError):
        read_header(BytesIO(data))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    done = reduced(data)

    assert most < 4 << 20
    assert (done.returncode in {2, 3, 5}, done.stdout) == (True, b"")


@pytest.mark.parametrize(
    "change",
    [
        {"qwen3moe.block_count": 0}, {"qwen3moe.block_count": 100_000}, {"qwen3moe.block_count": -1},
        {"qwen3moe.attention.head_count_kv": [1, 2]}, {"qwen3moe.embedding_length": "many"},
        {"general.architecture": "a b"}, {"general.architecture": 5}, {"qwen3moe.context_length": True},
    ],
    ids=str,
)  # fmt: skip
def test_numbers_that_no_model_has_are_refused(change: dict[str, Any]) -> None:
    header = read_header(BytesIO(MODEL.header()))

    with pytest.raises(HeaderError):
        Shape.from_header(type(header)({**header.values, **{key: _plain(each) for key, each in change.items()}}, {}))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_header_is_read_or_refused_and_nothing_else(seed: int) -> None:
    chance, header = random.Random(seed), reduced(MODEL.header()).stdout
    for _ in range(150):
        data = bytearray(header)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 8, 9, 255, chance.randrange(256)))
        try:
            Shape.from_header(read_header(BytesIO(bytes(data[: chance.randint(1, len(data))])), 1 << 20))
        except (HeaderError, NotCovered):
            continue


def test_a_damaged_header_ends_the_reader_of_the_host() -> None:
    chance, header = random.Random(1), MODEL.header()
    for _ in range(20):
        data = bytearray(header)
        for _ in range(4):
            data[chance.randrange(400)] = chance.randrange(256)

        done = reduced(bytes(data))

        assert done.returncode in {0, 2, 3, 5}, done.stderr
        assert len(done.stdout) <= 1 << 20
