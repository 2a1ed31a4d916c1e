"""What is expensive to make is made once, under a key of what it is made from.

`${XDG_CACHE_HOME:-~/.cache}/fleethands-lab` is shared by every checkout on this machine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock

from tests.lab.shell import step


def root() -> Path:
    """The cache's directory, made when missing."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base) / "fleethands-lab"
    path.mkdir(parents=True, exist_ok=True)
    return path


def key(*parts: str | bytes | Path) -> str:
    """Twelve hex digits of everything an artefact is made from; a Path counts with its content."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:12]


def lock(name: str) -> AbstractContextManager[object]:
    """One maker at a time on this machine; ends with the process, however it ends."""
    locks = root() / "locks"
    locks.mkdir(exist_ok=True)
    return FileLock(locks / f"{name.replace('/', '_')}.lock")


def made(name: str, make: Callable[[Path], None]) -> Path:
    """
    The artefact `name` (with its key in the name), made by `make(directory)` when missing.

    A maker that dies leaves only a `.part` directory, which the next one clears.
    """
    place = root() / name
    if place.exists():
        return place
    with lock(name):
        if place.exists():
            return place
        part = place.with_name(place.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        with step(f"make {name}"):
            make(part)
        part.rename(place)
    return place
