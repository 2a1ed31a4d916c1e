"""The hosts and groups of an inventory, and which of them a host pattern matches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

ALL = "all"


@dataclass(frozen=True)
class Roster:
    """
    The hosts and groups of an inventory.

    + names: of all hosts; groups: name → names of its hosts
    """

    names: Sequence[str]
    groups: Mapping[str, Collection[str]] = field(default_factory=dict)

    @classmethod
    def from_inventory(cls, inventory: Any) -> Roster:
        """The hosts and groups of pyinfra's inventory."""
        names = [host.name for host in inventory]
        groups = {name: [host.name for host in hosts] for name, hosts in inventory.groups.items() if hosts}
        return cls(names, {ALL: names, **groups})

    def split(self, words: str) -> list[str]:
        """The names, patterns and groups in a comma-separated list. A host's name may contain a comma."""
        if "," not in words or any(_matches(name, words) for name in self.names):
            return [words] if words else []
        return [part.strip() for part in words.split(",") if part.strip()]

    def selected(self, words: str) -> frozenset[str]:
        """The hosts that `--hosts` selects. A name of both a host and a group selects the host."""
        return frozenset(name for part in self.split(words) for name in self._matching(part))

    def excluded(self, words: str) -> frozenset[str]:
        """The hosts that `--exclude` excludes. A name of both a host and a group excludes the host and the group."""
        return frozenset(name for part in self.split(words) for name in self._excluded(part))

    def first_unknown(self, words: str) -> str | None:
        """The first part of a list that matches no host, if there is one."""
        return next((part for part in self.split(words) or [words] if not self._matching(part)), None)

    def _matching(self, part: str) -> Collection[str]:
        if part in self.names:
            return [part]
        if part in self.groups:
            return self.groups[part]
        return [name for name in self.names if _matches(name, part)]

    def _excluded(self, part: str) -> Collection[str]:
        group = self.groups.get(part, ())
        both = part in self.names and len(group) < len(self.names)  # all.py makes every host a member of `all`
        return {part, *group} if both else self._matching(part)


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or fnmatch(name, pattern)  # the pattern `root@[::1]:22` does not match its own text
