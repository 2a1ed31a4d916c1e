"""Who shares downloads with whom: the hosts of one run with the same site, in a chain by their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from fleethands.settings.host import HostSettings


def find_sites(settings: Mapping[str, HostSettings]) -> dict[str, list[str]]:
    """Site → its hosts that share, sorted. A host alone at its site shares with no other."""
    sites: dict[str, list[str]] = defaultdict(list)
    for name in sorted(settings):
        if settings[name].shares:
            sites[str(settings[name].site)].append(name)
    return {site: hosts for site, hosts in sites.items() if len(hosts) > 1}


def with_neighbors(settings: Mapping[str, HostSettings]) -> dict[str, HostSettings]:
    """The same settings. A host that shares knows the hosts before it in the chain, the nearest first, and after it."""
    found = dict(settings)
    for hosts in find_sites(settings).values():
        for index, name in enumerate(hosts):
            found[name] = settings[name].with_neighbors(_others(hosts, index), is_first=index == 0)
    return found


def _others(hosts: list[str], index: int) -> tuple[str, ...]:
    return (*hosts[:index][::-1], *hosts[index + 1 :])
