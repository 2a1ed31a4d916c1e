"""Whether accounts can enter the directories that they use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fleethands import paths
from fleethands.facts.framing import decode_word
from fleethands.untrusted import line

LONGEST = 4096  # bytes of a path (limits.h)


@dataclass(frozen=True)
class Place:
    """A directory or file: its octal mode and `user:group`. `account` is the one that must enter it."""

    path: str
    mode: str
    owner: str
    account: str = "ollama"


@dataclass(frozen=True)
class Directories:
    """
    Directories of the accounts `ollama` and OpenHands.

    + home: of Ollama's service
    + leads: directory → its real path, for those behind symlinks
    + barred: directory → the first parent that its account may not enter
    + kept: a file in the model store that Ollama may not write, because another account owns it
    """

    home: str = paths.OLLAMA_HOME
    leads: Mapping[str, str] = field(default_factory=dict)
    barred: Mapping[str, Place] = field(default_factory=dict)
    kept: Place | None = None


def directory_parser(asked: Sequence[tuple[str, str]]) -> Callable[[list[str]], Directories]:
    """A parser for the answer about these (account, directory) pairs, which it names by number."""

    def read(lines: list[str]) -> Directories:
        home, kept = paths.OLLAMA_HOME, None
        leads: dict[str, str] = {}
        barred: dict[str, Place] = {}
        for row in lines:
            kind, *words = row.split(" ")
            if kind == "home" and len(words) == 1:
                home = _path(words[0])
            elif kind == "leads" and len(words) == 2:
                leads[asked[_number(words[0])][1]] = _path(words[1])
            elif kind == "barred" and len(words) == 3:
                account, directory = asked[_number(words[0])]
                barred[directory] = replace(_place(*words[1:]), account=account)
            elif kind == "kept" and len(words) == 3:
                kept = _place(*words[1:])
            else:
                raise ValueError(kind)
        return Directories(home, leads, barred, kept)

    return read


def _number(word: str) -> int:
    if not word.isdecimal() or not word.isascii():
        raise ValueError(word)
    return int(word)


def _path(word: str) -> str:
    path = line(decode_word("directories", word).decode(errors="backslashreplace"), LONGEST)
    if not path.startswith("/") or ".." in path.split("/"):
        raise ValueError(path)
    return path


def _place(meta: str, word: str) -> Place:
    mode, owner = line(decode_word("directories", meta).decode(errors="backslashreplace").rstrip("\n"), 200).split(
        " ", 1
    )
    return Place(_path(word), f"{int(mode, 8):04o}", owner)


def move_home(section: Any, home: str) -> Any:
    """A section by path, with the paths in upstream's home of Ollama moved into another home."""
    if not isinstance(section, Mapping):
        return section
    old = paths.OLLAMA_HOME
    return {home + path.removeprefix(old) if path.startswith(old) else path: each for path, each in section.items()}
