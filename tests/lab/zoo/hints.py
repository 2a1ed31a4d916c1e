"""What a hint says to do: on the host, on this machine, or as host data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.lab.zoo.state import State

ON_HOST = re.compile(r"\bon the host(?:, [^:`]*)?: ([^`]+)$")
HERE = re.compile(r"`((?:fleethands|ssh|ssh-keygen|sed) [^`]*)`")
DECLARED = re.compile(r'(?:declare `?|has `?|^`)"?([a-z][a-z_]*)`?"?: ')
WORDS = {"True": True, "False": False, "None": None}
PLACEHOLDER = "NAME"


@dataclass
class Way:
    """What some hints say, in their order."""

    on_host: list[str] = field(default_factory=list)
    here: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def add(self, hint: str) -> bool:
        """Whether it says something that can be done."""
        if found := ON_HOST.search(hint):
            self.on_host += found[1].split("; its log: ")
        elif found := HERE.search(hint):
            self.here += HERE.findall(hint)
        elif declared := _declared(hint):
            self.data |= declared
        return bool(found or declared)


def ways(state: State, hints: Iterable[str]) -> list[Way]:
    """What is to be done after a refusal; AssertionError where a hint is neither done nor said to be undone."""
    hints = [hint for hint in hints if not _begins(hint, state.untyped)]
    if state.untyped and not hints:
        return []
    found = []
    for begins in state.ways or [[""]]:
        way = Way()
        chosen = [hint for hint in hints if _begins(hint, begins)]
        assert [each for each in begins if not any(hint.startswith(each) for hint in hints)] == [], hints
        assert [hint for hint in chosen if not way.add(hint)] == []
        found.append(way)
    all_ways = [each for begins in state.ways for each in begins]
    assert [hint for hint in hints if all_ways and not _begins(hint, all_ways)] == []
    return found


def _begins(hint: str, words: Iterable[str]) -> bool:
    return hint.startswith(tuple(words))


def _declared(hint: str) -> dict[str, Any]:
    """Keys and values; empty for a hint that gives none."""
    found = {}
    for key in DECLARED.finditer(hint):
        rest = hint[key.end() :]
        word = re.match(r"True|False|None", rest)
        try:
            value = WORDS[word[0]] if word else json.JSONDecoder().raw_decode(rest)[0]
        except ValueError:
            continue
        if value != PLACEHOLDER:
            found[key[1]] = value
    return found
