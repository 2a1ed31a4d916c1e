"""A part of a fleet: the same hosts in every run, even if other hosts join or leave."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

FORM = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


class EmptyShard(LookupError):
    """A shard that no host of the fleet belongs to."""


@dataclass(frozen=True)
class Shard:
    """
    Part `index` of `count`, from 1.

    A digest of its name decides which part a host belongs to, so a host that joins or leaves moves no other host.
    """

    index: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse `I/N`. Raises ValueError."""
        match = FORM.fullmatch(text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(f"`{text}`: expected I/N with I from 1 to N, such as `2/4`")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.index}/{self.count}" if self.count > 1 else ""

    def contains(self, name: str) -> bool:
        """Whether a host belongs to this part."""
        digest = hashlib.sha256(name.encode(errors="surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index - 1


WHOLE = Shard()
