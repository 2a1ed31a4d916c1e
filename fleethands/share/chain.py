"""The chain of a site: each host asks the hosts before it first, the nearest one first."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

PORT = 11439
MOST_BEFORE, MOST_AFTER = 16, 8  # neighbors that one host asks


@dataclass(frozen=True)
class Member:
    """
    One host of a site.

    + address: the IP address by which the others reach it
    """

    name: str
    address: str

    def __post_init__(self) -> None:
        ipaddress.ip_address(self.address)


def neighbor_rows(members: Sequence[Member], index: int) -> str:
    """
    The lines from which a host reads its neighbors: `before ADDRESS PORT` or `after ADDRESS PORT`.

    Hosts before it may still fetch what it wants. Of the hosts after it, only those count that have it.

    >>> neighbor_rows([Member("a", "10.0.0.1"), Member("b", "10.0.0.2")], 1)
    'before 10.0.0.1 11439'
    """
    before = [f"before {each.address} {PORT}" for each in members[:index][::-1][:MOST_BEFORE]]
    after = [f"after {each.address} {PORT}" for each in members[index + 1 :][:MOST_AFTER]]
    return "\n".join([*before, *after])


def host_rows(members: Sequence[Member]) -> str:
    """The addresses that may connect to a relay, one a line."""
    return "\n".join(each.address for each in members)
