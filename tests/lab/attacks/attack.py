"""One attack, and the ground on which it is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.lab.host import Host
from tests.lab.lab import Lab


class Position(StrEnum):
    """The position of an attacker."""

    ROOT = "root on a managed host"
    AGENT = "the agent's user"
    ACCOUNT = "another local account"
    CONTAINER = "another container"
    CLIENT = "a client of the gateway"
    NEIGHBOUR = "a neighbor with a route"
    REGISTRY = "a registry"
    MIRROR = "a mirror"
    REPOSITORY = "a git repository"


@dataclass(frozen=True)
class Field:
    """
    Where an attack is tried.

    + host: the host that is attacked, in the state that the attack names
    + rounds: how often a race is run
    + directory: of the controller, for what the attack needs there
    """

    lab: Lab
    host: Host
    rounds: int
    directory: Path

    def neighbour(self) -> Host:
        """Another host on the same network, as Debian left it."""
        other = self.lab["lab-2"]
        other.restore("clean")
        return other


@dataclass(frozen=True)
class Attack:
    """
    One attack.

    + name: the name in docs/security.md, and the id of its test
    + tries: what the attacker does; holds: what must be true afterwards; both one sentence
    + carry_out: does it on a real lab host, and asserts what must be true afterwards
    + finding: its number in the list of findings that docs/security.md keeps; empty for one of our own
    + state: of the host at first: clean, serving (Ollama alone), guarded (with a gateway), converged (OpenHands V0),
      paged (its page on the gateway), canvas or v1
    + race: it is run as often as `Field.rounds` says, by itself
    + slow: only in the long runs
    """

    name: str
    position: Position
    tries: str
    holds: str
    carry_out: Callable[[Field], None]
    finding: str = ""
    state: str = "serving"
    race: bool = False
    slow: bool = False
