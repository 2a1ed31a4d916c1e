"""Reads what lies under a path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fleethands.facts.framing import decode_base64
from fleethands.untrusted import count

Lines = list[str]
WORLD_READABLE, WORLD_ENTERABLE = 0o004, 0o001


@dataclass(frozen=True)
class File:
    """
    kind: absent, file, directory, link or other; owner is `user:group`; content of files up to 64 KiB, None where it
    could not be read whole, as while somebody writes it. Bytes of a target that are not UTF-8 stand as `\\xff`.

    mtime in seconds since 1970; 0 for links and what is foreseen.
    """

    kind: str
    mode: str = ""
    uid: int = -1
    gid: int = -1
    owner: str = ""
    content: bytes | None = None
    target: str = ""
    mtime: int = field(default=0, compare=False)

    @property
    def is_public(self) -> bool:
        """Whether everybody on the host may read it, or there is nothing to read."""
        return self.kind == "absent" or bool(int(self.mode or "0", 8) & WORLD_READABLE)

    @property
    def is_open(self) -> bool:
        """Whether everybody may reach what lies in this directory."""
        return bool(int(self.mode or "0", 8) & WORLD_ENTERABLE)


ABSENT = File("absent")


def file_parser(paths: Sequence[str]) -> Callable[[Lines], dict[str, File]]:
    """A reader for the files that were asked for, in their order."""

    def read(lines: Lines) -> dict[str, File]:
        return {path: _known(line) for path, line in zip(paths, lines, strict=True)}

    return read


def _known(line: str) -> File:
    """One odd file says nothing of the others: their owners differ."""
    try:
        return _file(line.split(" "))
    except ValueError:
        return File("other")


def _file(words: list[str]) -> File:
    if words == ["absent"]:
        return ABSENT
    if words[0] == "link":
        _, uid, gid, target = words
        name = decode_base64("files", target).decode(errors="backslashreplace").removesuffix("\n")
        return File("link", uid=count(int(uid)), gid=count(int(gid)), target=name)
    kind, mode, uid, gid, user, group, size, mtime, content = words
    if kind not in {"file", "directory", "other"}:
        raise ValueError(kind)
    held = decode_base64("files", content) if content != "-" else b"" if kind == "file" and size == "0" else None
    if held is not None and len(held) != int(size):
        held = None
    mode = f"{int(mode, 8):04o}"
    return File(kind, mode, count(int(uid)), count(int(gid)), f"{user}:{group}", held, mtime=count(max(0, int(mtime))))
