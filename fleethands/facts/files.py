"""Files by path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleethands.facts.framing import decode_word
from fleethands.facts.to_json import all_fields
from fleethands.untrusted import count

Lines = list[str]
WORLD_READABLE, WORLD_ENTERABLE = 0o004, 0o001


@dataclass(frozen=True)
class File:
    """
    What exists at a path.

    + kind: absent, file, directory, link or other
    + mode: octal, four digits; owner: `user:group`
    + content: of a file up to 64 KiB; None where it was not read whole, for example because a program was writing it
    + target: of a symlink; a byte that is not UTF-8 is written as `\\xff`
    + mtime: seconds since 1970; 0 for symlinks and in predictions
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
        """Whether every user of the host may read it. An absent file has nothing to hide."""
        return self.kind == "absent" or bool(int(self.mode or "0", 8) & WORLD_READABLE)

    @property
    def is_open(self) -> bool:
        """Whether every user may enter this directory."""
        return bool(int(self.mode or "0", 8) & WORLD_ENTERABLE)

    def public_fields(self, secrets: Collection[str]) -> Mapping[str, Any]:
        """
        A private file has no content in JSON.

        Not even size and sha256: from a digest, one could find a secret by trial, and a size gives its length away.
        """
        return all_fields(self) if self.is_public else {**all_fields(self), "content": None}


ABSENT = File("absent")


def file_parser(paths: Sequence[str]) -> Callable[[Lines], dict[str, File]]:
    """A parser for the answer about these paths, one line for each, in the same order."""

    def read(lines: Lines) -> dict[str, File]:
        return {path: _known(line) for path, line in zip(paths, lines, strict=True)}

    return read


def _known(line: str) -> File:
    """A line that cannot be read makes its own file unknown, because its owner may have caused it."""
    try:
        return _file(line.split(" "))
    except ValueError:
        return File("other")


def _file(words: list[str]) -> File:
    if words == ["absent"]:
        return ABSENT
    if words[0] == "link":
        _, uid, gid, target = words
        name = decode_word("files", target).decode(errors="backslashreplace").removesuffix("\n")
        return File("link", uid=count(int(uid)), gid=count(int(gid)), target=name)
    kind, mode, uid, gid, user, group, size, mtime, content = words
    if kind not in {"file", "directory", "other"}:
        raise ValueError(kind)
    held = decode_word("files", content) if content != "-" else b"" if kind == "file" and size == "0" else None
    if held is not None and len(held) != int(size):
        held = None
    mode = f"{int(mode, 8):04o}"
    return File(kind, mode, count(int(uid)), count(int(gid)), f"{user}:{group}", held, mtime=count(max(0, int(mtime))))
