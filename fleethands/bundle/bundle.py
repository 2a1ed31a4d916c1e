"""Reads a bundle in place: nothing is unpacked."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from fleethands.bundle import tar
from fleethands.bundle.errors import BundleError
from fleethands.bundle.index import MOST_INDEX, BundleIndex, PackedPart
from fleethands.text.format import format_size

INDEX = "index.json"
SUMS = "index.sha256"
PARTS = "parts"
CHUNK = 1 << 20
MOST_DAMAGED = 20  # names in a message
CREATE_HINT = "create it again: fleethands bundle create INVENTORY -o FILE"


def part_name(digest: str) -> str:
    """The name of a part in a bundle and on a host."""
    return digest.replace(":", "-")


def sums_text(index: BundleIndex) -> bytes:
    """The checksum of the index, in the format of `sha256sum --check`."""
    return f"{index.digest.removeprefix('sha256:')}  {INDEX}\n".encode()


@dataclass(frozen=True)
class Bundle:
    """A bundle whose index is valid, and whose file has the size that the index asks for."""

    path: Path
    index: BundleIndex

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """Raises BundleError for a file that cannot be read, is no bundle, or is truncated."""
        try:
            with path.open("rb") as file:
                index = _read_index(path, file)
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            hint = f"look at it: ls -l {shlex.quote(str(path))}"
            raise BundleError(f"cannot read {path}: {error.strerror}", hint) from None
        bundle = cls(path, index)
        bundle._check_size(size)
        return bundle

    @cached_property
    def offsets(self) -> dict[str, int]:
        """Digest → place of the header of each packed part."""
        place = sum(_length(*each) for each in ((INDEX, len(self.index.text)), (SUMS, len(sums_text(self.index)))))
        found = {}
        for part in self.index.packed:
            found[part.digest] = place
            place += _length(f"{PARTS}/{part_name(part.digest)}", part.size)
        return found

    @cached_property
    def size(self) -> int:
        """Bytes of the whole file."""
        last = self.index.packed[-1] if self.index.packed else None
        if last is None:
            return _length(INDEX, len(self.index.text)) + _length(SUMS, len(sums_text(self.index))) + len(tar.END)
        return self.offsets[last.digest] + _length(f"{PARTS}/{part_name(last.digest)}", last.size) + len(tar.END)

    def read(self, part: PackedPart, start: int = 0) -> Iterator[bytes]:
        """
        The bytes of a packed part.

        + start: bytes to skip

        Raises BundleError for a part without its header, and OSError. The caller checks the digest.
        """
        expected = tar.header(f"{PARTS}/{part_name(part.digest)}", part.size)
        with self.path.open("rb") as file:
            file.seek(self.offsets[part.digest])
            if file.read(len(expected)) != expected:
                raise self._damaged([part])
            file.seek(start, os.SEEK_CUR)
            left = part.size - start
            while left > 0 and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk

    def content_offset(self, part: PackedPart) -> int:
        """Place of the first byte of a packed part."""
        return self.offsets[part.digest] + len(tar.header(f"{PARTS}/{part_name(part.digest)}", part.size))

    def verify(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """
        Read every byte, and compare it with the index.

        + progress: called with the bytes that were read since the last call

        Raises BundleError that names the damaged parts.
        """
        damaged = []
        for part in self.index.packed:
            if not self._is_intact(part, progress):
                damaged.append(part)
        if damaged:
            raise self._damaged(damaged)

    def _is_intact(self, part: PackedPart, progress: Callable[[int], None]) -> bool:
        received = hashlib.sha256()
        try:
            for chunk in self.read(part):
                received.update(chunk)
                progress(len(chunk))
        except BundleError:
            return False
        except OSError as error:
            raise BundleError(f"cannot read {self.path}: {error.strerror}", "look at its disk: dmesg") from None
        return f"sha256:{received.hexdigest()}" == part.digest

    def _damaged(self, parts: list[PackedPart]) -> BundleError:
        names = "; ".join(self.index.label(part.digest) for part in parts[:MOST_DAMAGED])
        more = f" and {len(parts) - MOST_DAMAGED} more" if len(parts) > MOST_DAMAGED else ""
        return BundleError(f"{self.path} is damaged: {names}{more}", "copy it again", CREATE_HINT)

    def _check_size(self, size: int) -> None:
        if size < self.size:
            got = f"{format_size(size)} of {format_size(self.size)}"
            raise BundleError(f"{self.path} is truncated: it has {got}", "copy it again", CREATE_HINT)
        if size > self.size:
            raise BundleError(f"{self.path} is damaged: it has {size - self.size} bytes behind its end", CREATE_HINT)


def _length(name: str, size: int) -> int:
    return len(tar.header(name, size)) + size + tar.padding(size)


def _read_index(path: Path, file: BinaryIO) -> BundleIndex:
    text = _read_member(path, file, INDEX, MOST_INDEX)
    sums = _read_member(path, file, SUMS, 200)
    if sums != f"{hashlib.sha256(text).hexdigest()}  {INDEX}\n".encode():
        raise BundleError(f"{path} is damaged: its index has another checksum", "copy it again", CREATE_HINT)
    try:
        index = BundleIndex.parse(text)
    except ValueError as error:
        raise BundleError(f"{path}: its index is not valid: {error}", CREATE_HINT) from None
    if index.text != text:
        raise BundleError(f"{path}: its index is not valid: fleethands writes it differently", CREATE_HINT)
    return index


def _read_member(path: Path, file: BinaryIO, name: str, most: int) -> bytes:
    block = file.read(tar.BLOCK)
    try:
        size = tar.size_in(block, name)
    except ValueError:
        raise BundleError(f"{path} is not a bundle: it has no {name} in its place", CREATE_HINT) from None
    if size > most:
        raise BundleError(f"{path} is not a bundle: its {name} has more than {format_size(most)}", CREATE_HINT)
    content = file.read(size + tar.padding(size))
    if len(content) < size:
        raise BundleError(f"{path} is truncated: its {name} is cut", "copy it again", CREATE_HINT)
    return content[:size]
