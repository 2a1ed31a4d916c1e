"""The automatic revert: a host restores its firewall by itself, unless a new SSH connection confirms the change."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.operations.core import scripts
from fleethands.script import Script
from fleethands.untrusted import printable

DELAY = 30  # seconds; SSH answers again after them even if the new rules block it
DELAY_UNLOADED = 600  # for rules that are written and not loaded yet: a slow host has steps and probes in between
_MARK = re.compile(r"confirm: (?P<key>[0-9a-f]{16}) (?P<token>[0-9a-f]{16}) (?P<delay>[0-9]{1,3})\Z", re.ASCII)
_STATE = {"revert": paths.REVERT, "reverted": paths.REVERTED, "revert_unit": paths.REVERT_UNIT}
_REASONS = {
    "timeout": "no new SSH connection confirmed its change in time",
    "unloaded": "its run wrote new rules and did not load them",
    "reboot": "it rebooted before a new SSH connection confirmed its change",
    "failed": "the changed one did not load",
}


@dataclass(frozen=True)
class Unconfirmed:
    """
    A change that a host reverts after `delay` seconds, unless it is confirmed.

    + key: by which the controller knows its script; token: its name on the host
    """

    key: str
    token: str
    delay: int

    @classmethod
    def parse(cls, line: str) -> Unconfirmed | None:
        """
        From a line that the change's script has printed; None for any other line.

        >>> Unconfirmed.parse("confirm: 8899aabbccddeeff 00112233445566ff 30")
        Unconfirmed(key='8899aabbccddeeff', token='00112233445566ff', delay=30)
        """
        found = _MARK.match(line)
        return cls(found["key"], found["token"], int(found["delay"])) if found else None

    @property
    def confirmation(self) -> Script:
        """The script that confirms it. It prints `confirmed`, or `late` if the host has reverted the change."""
        return Script(scripts.join("revert_state", "confirm_change"), {**_STATE, "token": self.token})


def restore_script() -> str:
    """The script on a host that restores the firewall from before a change."""
    values = {
        **_STATE,
        "rules": paths.FIREWALL_RULES,
        "watcher": paths.FIREWALL_SCRIPT,
        "unit": paths.FIREWALL_UNIT,
        "loaded": paths.FIREWALL_LOADED,
    }
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    return "".join(["# Written by fleethands.\n", *lines, scripts.join("revert_state", "restore_firewall")])


def is_unconfirmed(probe: Probe) -> bool:
    """Whether a change of the firewall waits for its confirmation on this host."""
    return probe.files[paths.REVERT_ARMED].kind != "absent"


def reverted_note(probe: Probe) -> tuple[str, ...]:
    """What the host reverted by itself since its last confirmed change, as a note of a plan."""
    lines = (probe.files[paths.REVERTED].content or b"")[:2000].decode(errors="replace").split("\n")
    if len(lines) < 5:
        return ()
    _, reason, run, when, who = (printable(each, 300) for each in lines[:5])
    because = _REASONS.get(reason, "its change was not confirmed")
    by = f" of {who}" if who else ""
    return (
        f"at {when} this host restored its previous firewall by itself, because {because} (run {run}{by}); "
        f"to dismiss this note, on the host: rm {paths.REVERTED}",
    )
