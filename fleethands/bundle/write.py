"""Writes a bundle from files that have its parts."""

from __future__ import annotations

import errno
import hashlib
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from fleethands.bundle import tar
from fleethands.bundle.bundle import CHUNK, INDEX, PARTS, SUMS, part_name, sums_text
from fleethands.bundle.errors import BundleError
from fleethands.bundle.index import BundleIndex, PackedPart

MODE = 0o644


def write_bundle(path: Path, index: BundleIndex, place: Callable[[PackedPart], Path]) -> None:
    """
    Write a bundle to `PATH.partial`, and give it its name once it is complete.

    + place: the file of each packed part. Its digest is checked while it is copied.

    Raises BundleError.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, MODE)) as file:
            try:
                _write_members(file, index, place)
                os.replace(partial, path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    except FileExistsError:
        hint = f"if no other command writes it: rm {shlex.quote(str(partial))}"
        raise BundleError(f"{partial} exists: another command writes this bundle, or was killed", hint) from None
    except OSError as error:
        look = "df -h" if error.errno == errno.ENOSPC else "ls -ld"
        hint = f"look at its directory: {look} {shlex.quote(str(path.parent))}"
        raise BundleError(f"cannot write {partial}: {error.strerror}", hint) from None


def _write_members(file: BinaryIO, index: BundleIndex, place: Callable[[PackedPart], Path]) -> None:
    for name, content in ((INDEX, index.text), (SUMS, sums_text(index))):
        file.write(tar.header(name, len(content)) + tar.pad(content))
    for part in index.packed:
        file.write(tar.header(f"{PARTS}/{part_name(part.digest)}", part.size))
        _copy(file, place(part), part)
        file.write(bytes(tar.padding(part.size)))
    file.write(tar.END)
    file.flush()
    os.fsync(file.fileno())


def _copy(file: BinaryIO, source: Path, part: PackedPart) -> None:
    received, size = hashlib.sha256(), 0
    with source.open("rb") as content:
        while chunk := content.read(CHUNK):
            received.update(chunk)
            size += len(chunk)
            file.write(chunk)
    if (f"sha256:{received.hexdigest()}", size) != (part.digest, part.size):
        source.unlink(missing_ok=True)
        raise BundleError(f"{part.digest} changed on the disk of this machine", "run it again: it is downloaded again")
