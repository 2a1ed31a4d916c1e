"""The scripts of the firewall, and their variables."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fleethands import paths
from fleethands.operations.core import scripts
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.firewall.closed_ports import ClosedPorts
from fleethands.operations.firewall.revert import DELAY, DELAY_UNLOADED, restore_script
from fleethands.settings.generations import SANDBOXES


@dataclass(frozen=True, kw_only=True)
class _TableScript(HostScript, parts=("revert_state", "await_confirmation", "table_functions")):
    """
    A script that loads the rules, or checks them.

    + rules, watcher, unit: files of the firewall; loaded: file that says which rules were loaded
    + ports: that the rules close; published: ranges of ports that they close for addresses of all interfaces
    + delay: seconds until the host reverts a change that no run confirms; restore: text of the script that reverts it
    + revert, reverted, revert_unit: what the host stores meanwhile, and what it writes when it has reverted a change
    """

    rules: str = paths.FIREWALL_RULES
    watcher: str = paths.FIREWALL_SCRIPT
    unit: str = paths.FIREWALL_UNIT
    loaded: str = paths.FIREWALL_LOADED
    ports: str
    published: str
    delay: int = DELAY
    restore: str = field(default_factory=restore_script)
    revert: str = paths.REVERT
    reverted: str = paths.REVERTED
    revert_unit: str = paths.REVERT_UNIT


@dataclass(frozen=True, kw_only=True)
class WriteRules(_TableScript, file="write_rules"):
    """Writes the file of the rules, if they do not close the way in by SSH."""

    text: str
    delay: int = DELAY_UNLOADED


@dataclass(frozen=True, kw_only=True)
class LoadRules(_TableScript, file="load_rules"):
    """
    Loads the table, now and at boot.

    + digest: sha256 of the rules
    """

    digest: str


@dataclass(frozen=True, kw_only=True)
class NarrowRules(_TableScript, file="narrow_rules"):
    """Writes and loads rules that close fewer ports."""

    text: str


@dataclass(frozen=True)
class RemoveTable(HostScript, file="remove_table", parts=("revert_state",)):
    """Removes the table and its files, one a line."""

    files: str
    revert: str = paths.REVERT
    reverted: str = paths.REVERTED
    revert_unit: str = paths.REVERT_UNIT


def closing(closed: ClosedPorts) -> dict[str, Any]:
    """The variables of a script by what its rules close."""
    return {"ports": " ".join(map(str, closed.of_host)), "published": " ".join(closed.sandboxes)}


@cache
def watcher_script() -> str:
    """The script on a host that loads the rules, and loads them again after a flush."""
    values = {
        "rules": paths.FIREWALL_RULES,
        "loaded": paths.FIREWALL_LOADED,
        "inside": "|".join(map(str, SANDBOXES.inside)),
        "lowest": str(SANDBOXES.first),
    }
    body = scripts.read("watch_table")
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    return "".join(["# Written by fleethands.\n", *lines, body])
