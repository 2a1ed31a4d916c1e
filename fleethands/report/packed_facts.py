"""The facts of one host as compressed text: a probe takes twenty times the memory, and a fleet has many hosts."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

FAST = 1  # zlib's level; the highest one saves another tenth


@dataclass(frozen=True, slots=True)
class PackedFacts:
    """
    The facts of one host, without the secrets that host data declares.

    + data: the text of a JSON object, compressed
    + cells: the host as a row of `fleethands status`, without host and state (host_summary.py)

    Example: `PackedFacts.pack({"models": {}}, ()).facts` is `{"models": {}}`.
    """

    data: bytes
    cells: tuple[str, ...]

    @classmethod
    def pack(cls, facts: dict[str, Any], cells: tuple[str, ...]) -> PackedFacts:
        """The same facts, compressed."""
        return cls(zlib.compress(json.dumps(facts).encode(), FAST), cells)

    @property
    def text(self) -> str:
        """The JSON object, in ASCII and on one line."""
        return zlib.decompress(self.data).decode()

    @property
    def facts(self) -> dict[str, Any]:
        """The facts as JSON."""
        found: dict[str, Any] = json.loads(self.text)
        return found
