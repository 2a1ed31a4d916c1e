"""Selects hosts of an inventory by host patterns, and explains an empty selection."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from fleethands.errors import UsageError
from fleethands.fleet.host_address import TARGET_HINT
from fleethands.fleet.roster import ALL, Roster
from fleethands.fleet.shard import WHOLE, Shard

SHOWN = 3


@dataclass(frozen=True)
class HostSelection:
    """
    A selection of hosts in an inventory.

    + hosts, exclude: host patterns: names, fnmatch patterns and groups, separated by commas
    + only: names that `--retry-failed` selects, None for all; shard: a part of these hosts
    """

    hosts: str = "*"
    exclude: str = ""
    shard: Shard = WHOLE
    only: frozenset[str] | None = None

    def names_in(self, roster: Roster) -> list[str]:
        """The names that the host patterns select, before `only` and `shard`."""
        taken, spared = roster.selected(self.hosts), roster.excluded(self.exclude)
        return [name for name in roster.names if name in taken and name not in spared]


ALL_HOSTS = HostSelection()


class NoHostsError(UsageError):
    """A target or a host pattern selects no host; the hints list hosts."""


def select_hosts(target: str, pick: HostSelection, roster: Roster) -> list[str]:
    """
    The names that a selection has, of all shards.

    + roster: hosts and groups of the target

    Raises NoHostsError for an empty selection, and for a pattern that matches nothing: a misspelled `--exclude` would
    change a host that should be left alone.
    """
    if not roster.names:
        raise NoHostsError(f"`{target}` has no hosts", TARGET_HINT)
    for words, option in ((pick.hosts, ""), (pick.exclude, "--exclude ")):
        if words and (part := roster.first_unknown(words)) is not None:
            raise NoHostsError(f"`{target}` has no host that matches `{option}{part}`", *_nearest(target, part, roster))
    found = [name for name in pick.names_in(roster) if pick.only is None or name in pick.only]
    if not found:
        raise _explain_empty(target, pick, roster)
    return found


def _explain_empty(target: str, pick: HostSelection, roster: Roster) -> NoHostsError:
    """Explain why these filters, each valid alone, select no host."""
    wanted = f"matches `{pick.hosts}`" + (f" and not `{pick.exclude}`" if pick.exclude else "")
    if pick.only is None:
        return NoHostsError(f"`{target}` has no host that {wanted}", *_nearest(target, pick.hosts, roster))
    left = sorted(pick.only & set(roster.names))
    if not left:
        return NoHostsError(
            f"`{target}` has none of the hosts that the report leaves: {join_names(sorted(pick.only))}",
            *_nearest(target, min(pick.only), roster),
        )
    return NoHostsError(f"no host that the report leaves {wanted}", f"it leaves: {join_names(left)}")


def _nearest(target: str, part: str, roster: Roster) -> list[str]:
    implied = {ALL, PurePath(target).stem}  # a file's name is a group of all its hosts
    groups = [name for name in roster.groups if name not in implied and not name.startswith("@")]
    hints = [f"its hosts: {_near(part, roster.names)}"]
    return [*hints, f"its groups: {_near(part, groups)}"] if groups else hints


def _near(part: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(part, sorted(names), SHOWN, cutoff=0.4) or sorted(names)[:SHOWN]
    return f"{', '.join(near)}{' …' if len(names) > len(near) else ''}"


def join_names(names: Sequence[str], most: int = SHOWN) -> str:
    """Names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
