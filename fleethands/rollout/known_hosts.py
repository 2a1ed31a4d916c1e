"""A known_hosts file: which keys a host is known by, and new ones added to it whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paramiko import HostKeys, PKey
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

SSH_PORT = 22


@dataclass(frozen=True)
class Known:
    """One key that a host is known by, and the line that says so."""

    key: PKey
    line: int


def entry_name(address: str, port: int) -> str:
    """What a host is called in known_hosts: another port than 22 is part of its name."""
    return address if port == SSH_PORT else f"[{address}]:{port}"


def known(path: Path, name: str) -> list[Known]:
    """The keys of a name, plain or hashed, in the file's order; none where there is no file."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [Known(entry.key, number) for number, entry in _entries(lines) if entry.key and _is_of(entry, name)]


def add(path: Path, keys: Iterable[tuple[str, PKey]]) -> None:
    """
    Append keys, in a file of mode 0600 that is replaced as a whole.

    + keys: name and key of each host

    Raises OSError; the file then is as it was.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = path.read_bytes() if path.exists() else b""
    separator = b"" if before.endswith(b"\n") or not before else b"\n"
    lines = "".join(f"{name} {key.get_name()} {key.get_base64()}\n" for name, key in dict.fromkeys(keys))
    descriptor, part = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(before + separator + lines.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(part)
        raise


def _entries(lines: list[str]) -> Iterable[tuple[int, HostKeyEntry]]:
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith(("#", "@")):  # a marker says more than that a key is known
            with suppress(InvalidHostKey):
                entry = HostKeyEntry.from_line(" ".join(line.split()), number)
                if entry is not None:
                    yield number, entry


def _is_of(entry: HostKeyEntry, name: str) -> bool:
    for each in entry.hostnames or []:
        hashed = each.startswith("|1|") and not name.startswith("|1|")
        if each == name or (hashed and HostKeys.hash_host(name, each) == each):
            return True
    return False
