"""Groups hosts that match the same lines of an SSH configuration, so that one run of `ssh -G` is enough for them."""

from __future__ import annotations

import glob
import os
import shlex
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fleethands.ssh import home
from fleethands.ssh.patterns import pattern

DEEPEST = 16  # levels of Include, as in `ssh`
SAME_FOR_ALL = ({"all"}, {"final", "all"})  # conditions of `Match` that hold for every host
OWN_TOKENS = {"controlpath", "localcommand", "remotecommand", "proxycommand"}  # `ssh -G` does not expand their tokens


@dataclass(frozen=True)
class _Rules:
    patterns: tuple[str, ...]
    hostnames: frozenset[str]


def config_class_of(name: str, config: str | None) -> Hashable | None:
    """
    A value that is equal for hosts that match the same lines; None if only `ssh` can decide.

    + config: a file instead of the user's and the system's
    """
    rules = _rules(config, str(Path.home()))
    if rules is None or ":" in name or name.lower() in rules.hostnames:
        return None
    return tuple(bool(pattern(each).match(word)) for each in rules.patterns for word in (name, name.lower()))


@cache
def _rules(config: str | None, _home: str) -> _Rules | None:
    files = [home.user_file(config)] if config else [home.user_file(None), home.SYSTEM]
    patterns: set[str] = set()
    hostnames: set[str] = set()
    try:
        for keyword, words in (line for file in files for line in _lines(file)):
            if keyword == "host":
                patterns.update(each.removeprefix("!") for each in words)
            elif keyword == "hostname":
                hostnames.update(each.lower() for each in words)
            if _is_beyond(keyword, words):
                return None
    except (OSError, ValueError):
        return None
    return _Rules(tuple(sorted(patterns)), frozenset(hostnames))


def _is_beyond(keyword: str, words: list[str]) -> bool:
    """Whether the effect of a line depends on more than the patterns that match a host's name."""
    if keyword == "match":
        return {each.lower() for each in words} not in SAME_FOR_ALL
    if keyword.startswith("canonicalize"):
        return True
    return keyword not in OWN_TOKENS and any("%" in each for each in words)


def _lines(file: Path, depth: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Keywords in lower case, and their arguments. Raises OSError, ValueError for a file that can't be read."""
    if depth > DEEPEST:
        raise ValueError("too deep")
    if not file.exists():
        return
    for row in file.read_text(errors="replace").splitlines():
        keyword, words = split_line(row)
        if keyword:
            yield keyword, words
        if keyword == "include":
            for each in words:
                for found in included(each):
                    yield from _lines(found, depth + 1)


def included(word: str) -> list[Path]:
    """Files of an `Include` line."""
    if "%" in word or "$" in word:
        raise ValueError("tokens")
    path = os.path.expanduser(word)
    # relative to the user's directory, or to the system's in a file of the system: both are tried
    places = (
        [path] if os.path.isabs(path) else [str(home.account_home() / ".ssh" / path), str(home.SYSTEM.parent / path)]
    )
    return [Path(each) for place in places for each in sorted(glob.glob(place)) if os.path.isfile(each)]


def split_line(row: str) -> tuple[str, list[str]]:
    """Keyword in lower case and arguments of `Port 22` or `Port=22`; empty for a comment. Raises ValueError."""
    text = row.strip()
    if not text or text.startswith("#"):
        return "", []
    end = next((place for place, letter in enumerate(text) if letter in " \t="), len(text))
    rest = text[end:].lstrip().removeprefix("=")
    words = shlex.shlex(rest, posix=True, punctuation_chars=False)
    words.whitespace_split, words.commenters, words.quotes, words.escape = True, "#", "\"'", ""
    return text[:end].lower(), list(words)
