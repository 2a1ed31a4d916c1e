"""A host's release record: what was declared and proven there, when and by whom. It holds no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = 1
KEPT = 5  # records on a host, the one of now among them


@dataclass(frozen=True)
class Record:
    """
    One release record.

    + time: as `2026-11-25T17:02:11Z`, by the host's clock; by: `user@controller`; run: that run's name, if it had one
    + version: of fleethands
    + revision: commit of the inventory's directory, with `+` where it held changes besides; empty outside of git
    + declared: the settings, as settings/declared.py writes them
    + versions: Ollama's release, each model's digest, the image's name, its id and, where it came from a registry, its
      manifest's digest
    """

    time: str
    by: str
    run: str
    version: str
    revision: str
    declared: Mapping[str, Any]
    versions: Mapping[str, Any]

    @classmethod
    def parse(cls, text: bytes | None) -> Record | None:
        """The record in a file; None where there is none that can be read."""
        try:
            row: dict[str, Any] = json.loads(text or b"")
            words = {key: str(row[key]) for key in ("time", "by", "run", "version", "revision")}
            declared, versions = row["declared"], row["versions"]
        except (ValueError, LookupError, TypeError, RecursionError):
            return None
        known = row.get("schema") == SCHEMA and isinstance(declared, dict) and isinstance(versions, dict)
        return cls(declared=declared, versions=versions, **words) if known else None

    @property
    def when(self) -> str:
        """`2026-11-25 17:02 UTC`."""
        return f"{self.time[:10]} {self.time[11:16]} UTC"

    def __str__(self) -> str:
        return f"{self.when} by {self.by}"

    def same_as(self, declared: Mapping[str, Any], versions: Mapping[str, Any]) -> bool:
        """Whether it says the same of its host."""
        return dict(self.declared) == dict(declared) and _named(self.versions) == _named(versions)


def _named(versions: Mapping[str, Any]) -> dict[str, Any]:
    """Without what follows from the rest, which records of before lack."""
    image = versions.get("image")
    return {**versions, "image": {**image, "digest": ""} if isinstance(image, dict) else image}
