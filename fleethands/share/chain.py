"""The chain of a site: each host asks the hosts before it first, the nearest one first."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PORT = 11439
MOST_BEFORE, MOST_AFTER = 16, 8  # neighbors that one host asks
NO_ADDRESS = "its address in the site is unknown: set `share_address`"
SAME_ADDRESS = "{other} has the same address {address}: set `share_address` of both"
ALONE = "no other host of its site can take part"


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


def find_members(addresses: Mapping[str, str]) -> tuple[list[Member], dict[str, str]]:
    """
    The hosts of a site that can take part, and why others cannot.

    + addresses: host → its address, empty if it is unknown
    """
    notes = {name: NO_ADDRESS for name, address in addresses.items() if not address}
    for name, address in addresses.items():
        others = [other for other, its in addresses.items() if other != name and its == address]
        if address and others:
            notes[name] = SAME_ADDRESS.format(other=others[0], address=address)
    members = [Member(name, address) for name, address in addresses.items() if name not in notes]
    if len(members) == 1:
        notes[members.pop().name] = ALONE
    return members, notes


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


def host_rows(members: Sequence[Member], index: int) -> str:
    """The addresses that may connect to a relay, one a line, without its own: accounts of its host need no relay."""
    return "\n".join(each.address for each in members if each is not members[index])
