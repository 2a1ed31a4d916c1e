"""A host's release record: the settings that were proven, when and by whom. It has no secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fleethands.settings.renamed import translate
from fleethands.speed import Speed, read_speed
from fleethands.untrusted import line, mapping, parse_json, tree

SCHEMA = 1
KEPT = 5  # records on a host, the current one included
LONGEST = 1 << 16  # bytes of a record: the probe reads no longer file
MOST_KEYS = 200
_SPEED = re.compile(rb', "speed": \{[^{}]*\}')  # as the proof's script writes it


@dataclass(frozen=True)
class Record:
    """
    One release record. The host wrote it, so the controller treats it as data and never runs or opens any of it.

    + time: by the host's clock, such as `2026-11-25T17:02:11Z`; by: `user@controller`; run: the run id, may be empty
    + version: of fleethands
    + revision: commit of the inventory's directory, with `+` for uncommitted changes; empty outside of git
    + declared: the settings, as settings/serialize.py writes them, under today's names
    + versions: Ollama's release; the digest of each model; name, id and registry digest of the image, and of Ollama's
      image (`ollama_image`) where Ollama ran in a container
    + speed: as the proof measured it; None in older records
    """

    time: str
    by: str
    run: str
    version: str
    revision: str
    declared: Mapping[str, Any]
    versions: Mapping[str, Any]
    speed: Speed | None = None

    @classmethod
    def parse(cls, text: bytes | None) -> Record | None:
        """The record in a file; None if there is none, or it cannot be read."""
        return _parse(text) if text else None

    @property
    def ollama(self) -> str:
        """The declared version of Ollama, empty without one."""
        found = self.declared.get("ollama_version")
        return found if isinstance(found, str) else ""

    @property
    def when(self) -> str:
        """The time, such as `2026-11-25 17:02 UTC`."""
        return f"{self.time[:10]} {self.time[11:16]} UTC"

    def __str__(self) -> str:
        return f"{self.when} by {self.by}"

    def same_as(self, declared: Mapping[str, Any], versions: Mapping[str, Any]) -> bool:
        """Whether another record would have the same settings and versions."""
        return dict(self.declared) == dict(declared) and _without_digests(self.versions) == _without_digests(versions)


@lru_cache(maxsize=16)  # the plan and the report of a host read its record several times
def _parse(text: bytes) -> Record | None:
    try:
        row = mapping(_document(text))
        if row["schema"] != SCHEMA:
            return None
        words = {key: line(row[key]) for key in ("time", "by", "run", "version", "revision")}
        versions, speed = _versions(row["versions"]), _speed(row.get("speed"))
        return Record(declared=_declared(row["declared"]), versions=versions, speed=speed, **words)
    except (ValueError, LookupError):
        return None


def _document(text: bytes) -> Any:
    """The JSON of a record; without its speed if a number of that makes it no JSON. Raises ValueError."""
    try:
        return parse_json(text, LONGEST)
    except ValueError:
        return parse_json(_SPEED.sub(b"", text), LONGEST)


def _declared(value: Any) -> dict[str, Any]:
    declared = mapping(tree(value))
    if len(declared) > MOST_KEYS:
        raise ValueError("more settings than there are")
    return translate({line(key): each for key, each in declared.items()})


def _versions(value: Any) -> dict[str, Any]:
    row = mapping(value)
    more = {"ollama_image": _lines(row["ollama_image"])} if "ollama_image" in row else {}
    return {"ollama": line(row["ollama"]), "models": _lines(row["models"]), "image": _lines(row["image"]), **more}


def _speed(value: Any) -> Speed | None:
    """The speed of a record; a damaged one makes no record useless."""
    try:
        return None if value is None else read_speed(value)
    except (ValueError, LookupError):
        return None


def _lines(value: Any) -> dict[str, str]:
    return {line(key): line(each) for key, each in mapping(value).items()}


def _without_digests(versions: Mapping[str, Any]) -> dict[str, Any]:
    """The versions without registry digests, which older records lack and which follow from the rest."""
    images = {key: {**versions[key], "digest": ""} for key in ("image", "ollama_image") if key in versions}
    return {**versions, **images}
