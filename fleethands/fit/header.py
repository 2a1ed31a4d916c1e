"""
Reads the header of a GGUF file. The file may be anyone's, so counts, lengths and nesting have limits.

gguf_header.pl sends the same header from a host, without the long lists: only their lengths are needed.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from fleethands.fit.errors import HeaderError
from fleethands.fit.tensor_types import tensor_size
from fleethands.untrusted import MOST_COUNT

MOST = 32 << 20  # bytes; a vocabulary of 256,000 tokens takes 7 MB
MOST_REDUCED = 1 << 20  # bytes of the header without its long lists
LONG_LIST = 1024  # elements from which a list counts only by its length
LONG_TEXT = 4096  # bytes from which a text is skipped: chat templates, licenses
LONG_NAME = 1024
MOST_PAIRS, MOST_TENSORS, MOST_DIMENSIONS = 4096, 65536, 4
STRING, LIST = 8, 9
FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True)
class Header:
    """
    The header of a GGUF file.

    + values: key → value; a long list is its length
    + tensors: name → bytes
    """

    values: Mapping[str, Value]
    tensors: Mapping[str, int]


class _Reader:
    """Reads forward, and never more than its limit."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream, self._left = stream, most

    def take(self, size: int) -> bytes:
        if size > self._left:
            raise HeaderError("has too long a header")
        self._left -= size
        data = self._stream.read(size)
        if len(data) != size:
            raise HeaderError("ends within its header")
        return data

    def skip(self, size: int) -> None:
        while size > 0:
            size -= len(self.take(min(size, 1 << 16)))

    def number(self, code: str) -> int:
        value: int = self.fixed(code)  # type: ignore[assignment]
        return value

    def fixed(self, code: str) -> Scalar:
        value: Scalar = struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}")))[0]
        return value

    def count(self, most: int) -> int:
        found = self.number("Q")
        if found > most:
            raise HeaderError("has a count that is too large")
        return found

    def name(self) -> str:
        return self.take(self.count(LONG_NAME)).decode(errors="replace")

    def text(self) -> str:
        """A text; an empty one for a long text."""
        size = self.number("Q")
        if size <= LONG_TEXT:
            return self.take(size).decode(errors="replace")
        self.skip(size)
        return ""


def read_header(stream: BinaryIO, most: int = MOST) -> Header:
    """
    The header of a GGUF file, little-endian, version 2 or 3. Reads forward, to the end of the header.

    Raises HeaderError for anything else.
    """
    reader = _Reader(stream, most)
    if reader.take(4) != b"GGUF" or reader.number("I") not in (2, 3):
        raise HeaderError("is not a GGUF file of version 2 or 3")
    count, pairs = reader.count(MOST_TENSORS), reader.count(MOST_PAIRS)
    values = {reader.name(): _value(reader) for _ in range(pairs)}
    return Header(values, dict(_tensor(reader) for _ in range(count)))


def _value(reader: _Reader) -> Value:
    kind = reader.number("I")
    if kind == LIST:
        return _list(reader)
    return _scalar(reader, kind)


def _scalar(reader: _Reader, kind: int) -> Scalar:
    if kind == STRING:
        return reader.text()
    if kind not in FIXED:
        raise HeaderError(f"has values of an unknown type: {kind}")
    return reader.fixed(FIXED[kind])


def _list(reader: _Reader) -> Value:
    kind, length = reader.number("I"), reader.count(MOST_COUNT)
    if length <= LONG_LIST:
        return tuple(_scalar(reader, kind) for _ in range(length))  # a list of lists has no known type
    if kind == STRING:
        for _ in range(length):
            reader.skip(reader.number("Q"))
    elif kind in FIXED:
        reader.skip(length * struct.calcsize(f"<{FIXED[kind]}"))
    else:
        raise HeaderError("has a list of lists")
    return length


def _tensor(reader: _Reader) -> tuple[str, int]:
    name, elements, dimensions = reader.name(), 1, reader.number("I")
    if dimensions > MOST_DIMENSIONS:
        raise HeaderError("has a tensor of too many dimensions")
    for _ in range(dimensions):
        elements *= reader.number("Q")
    if elements > MOST_COUNT:
        raise HeaderError("has too large a tensor")
    size = tensor_size(reader.number("I"), elements)
    reader.number("Q")  # its place in the file
    return name, size
