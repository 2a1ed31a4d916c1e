"""Cases by a seed: what blocks SSH, and what happens before the confirmation."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.lab.flavors import V1
from tests.lab.host import Host
from tests.lab.revert.ways_in import RELAYED

ALL, NEW = "tcp dport 22 drop", "tcp dport 22 ct state new drop"
KINDS = ("rule", "allow_from", "killed", "reboot")


@dataclass(frozen=True)
class Case:
    """
    One change of a host's firewall.

    + kind: a rule that drops SSH, a wrong `allow_from`, a killed controller, a reboot before the confirmation
    + rule: added to the rules; empty where they are right
    + first: the host has no firewall of fleethands yet
    + delay: seconds after which the host reverts the change
    + moment: seconds after the change at which the controller or the host stops
    + gently: the host reboots in order; otherwise its power is cut
    """

    kind: str
    rule: str
    first: bool
    delay: int
    moment: float
    gently: bool
    network: str

    def data(self, host: Host) -> dict[str, Any]:
        """Host data of the change."""
        return {**self.way(host), "allow_from": [self.network], "revert_rule": self.rule, "revert_delay": self.delay}

    def correct(self, host: Host) -> dict[str, Any]:
        """Host data as it should have been."""
        allowed = {"allow_from": [f"{host.address6.rpartition('::')[0]}::/64"]} if self.kind == "allow_from" else {}
        return {**self.data(host), "revert_rule": "", "revert_delay": 30, **allowed}

    def way(self, host: Host) -> dict[str, Any]:
        """How SSH reaches the host, and what makes the firewall close that port."""
        if self.kind != "allow_from":
            return {}
        return {"ssh_hostname": host.address6, "ssh_port": RELAYED, "ssh_strict_host_key_checking": "no", **V1}

    def ssh_options(self, host: Host) -> list[str]:
        """The same way in for `ssh`."""
        if self.kind != "allow_from":
            return []
        known = ("UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", f"HostName={host.address6}")
        return ["-p", str(RELAYED), *(word for each in known for word in ("-o", each))]


def cases(seed: int, count: int, delays: tuple[int, ...]) -> Iterator[Case]:
    """
    The kinds in turn, each with details by chance.

    + delays: those to choose from
    """
    chance = random.Random(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        rules = {"rule": (ALL, NEW), "allow_from": ("",)}.get(kind, (ALL, NEW, ""))
        yield Case(
            kind,
            chance.choice(rules),
            chance.random() < 0.4,
            chance.choice(delays),
            chance.uniform(0.1, 2.0),
            chance.random() < 0.5,
            f"192.0.2.{4 * (number % 64)}/30",
        )
