"""Which hosts of an inventory are meant, and what is said of words that mean none of them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from fleethands.rollout.address import LIST
from fleethands.rollout.shard import WHOLE, Shard

SHOWN = 3


@dataclass(frozen=True)
class Pick:
    """
    Which hosts of an inventory.

    + hosts, exclude: patterns of names, as fnmatch reads them, or a name; only: names that a report left, None for all
    + shard: a part of those
    """

    hosts: str = "*"
    exclude: str = ""
    shard: Shard = WHOLE
    only: frozenset[str] | None = None

    def matches(self, name: str) -> bool:
        """Whether a host of this name is of the fleet that is meant, done already or of whatever part."""
        return _is_of(name, self.hosts) and not _is_of(name, self.exclude)

    def takes(self, name: str) -> bool:
        """Whether a host of this name is one of them, whatever its part."""
        return self.matches(name) and (self.only is None or name in self.only)


EVERY = Pick()


def _is_of(name: str, pattern: str) -> bool:
    return name == pattern or fnmatch(name, pattern)  # `root@[::1]:22`, as a pattern, does not match itself


class NoHosts(LookupError):
    """A target or a pattern names no host; `hints` say which there are."""

    def __init__(self, message: str, *hints: str) -> None:
        super().__init__(message)
        self.hints = hints


def picked(target: str, pick: Pick, names: Sequence[str]) -> list[str]:
    """
    The names that a pick takes, of whatever part.

    + names: of all hosts of the inventory, its target

    Raises NoHosts where none is left, and for a pattern that none has: a host would be taken that was to be spared.
    """
    if not names:
        raise NoHosts(f"`{target}` names no host", LIST)
    for pattern, typed in ((pick.hosts, pick.hosts), (pick.exclude, f"--exclude {pick.exclude}")):
        if pattern and not any(_is_of(name, pattern) for name in names):
            raise NoHosts(f"`{target}` names no host that matches `{typed}`", _nearest(pattern, names))
    found = [name for name in names if pick.takes(name)]
    if not found:
        raise _none(target, pick, names)
    return found


def _none(target: str, pick: Pick, names: Sequence[str]) -> NoHosts:
    """What is said of words each of which means a host, and that mean none together."""
    wanted = f"matches `{pick.hosts}`" + (f" and not `{pick.exclude}`" if pick.exclude else "")
    if pick.only is None:
        return NoHosts(f"`{target}` names no host that {wanted}", _nearest(pick.hosts, names))
    left = sorted(pick.only & set(names))
    if not left:
        return NoHosts(
            f"`{target}` names none of the hosts that the report leaves: {few(sorted(pick.only))}",
            _nearest(min(pick.only), names),
        )
    return NoHosts(f"no host that the report leaves {wanted}", f"it leaves: {few(left)}")


def _nearest(pattern: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(pattern, sorted(names), SHOWN, cutoff=0.4) or sorted(names)[:SHOWN]
    return f"its hosts: {', '.join(near)}{' …' if len(names) > len(near) else ''}"


def few(names: Sequence[str], most: int = SHOWN) -> str:
    """Names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
