"""From a command line to an engine: its hosts are known, and not connected yet."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleethands.command_line import CommandLine
from fleethands.data_pairs import parse_pair
from fleethands.deploy_files import find_project
from fleethands.deploy_options import DeployOptions
from fleethands.engine.engine import Engine
from fleethands.errors import UsageError
from fleethands.fleet.ansible.kind import PREFIX
from fleethands.fleet.host_address import InvalidHostName
from fleethands.fleet.hosts_in_code import HostsInCode
from fleethands.fleet.selection import HostSelection, join_names
from fleethands.fleet.typed_options import parse_shard
from fleethands.operations.core.provenance import set_inventory
from fleethands.ssh.host_config import ignored_config_lines
from fleethands.ssh.timeouts import LIMITS, Limits


@dataclass(frozen=True)
class WantedHosts:
    """
    The hosts of one run, and what the run gives them.

    + line: target, host patterns, shard and `KEY=VALUE` pairs; hints are made of it
    + options: what the deploy file is passed
    + data: host data for all hosts; takes precedence over that of `line`
    + only: hosts that a report left; None for all
    + in_code: hosts that a program declares, in place of the target of `line`
    """

    line: CommandLine
    options: DeployOptions = field(default_factory=DeployOptions)
    data: Mapping[str, Any] = field(default_factory=dict)
    only: frozenset[str] | None = None
    limits: Limits = LIMITS
    in_code: HostsInCode | None = None

    @property
    def selection(self) -> HostSelection:
        """Raises UsageError."""
        return HostSelection(self.line.hosts or "*", self.line.exclude, parse_shard(self.line.shard), self.only)

    @property
    def host_data(self) -> dict[str, Any]:
        """Raises UsageError."""
        return {**dict(map(parse_pair, self.line.data)), **self.data, **self.options.to_host_data()}


def open_hosts(wanted: WantedHosts, warn: Callable[[str], None]) -> Engine:
    """
    An engine whose hosts are known, and not connected yet.

    + warn: called with a line for everything that is ignored and may be a mistake

    Raises FleethandsError; EmptyShard where the shard has no host.
    """
    target, pick = wanted.line.target, wanted.selection
    try:
        engine = Engine.load(
            wanted.in_code or target, find_project(), wanted.host_data, pick, wanted.line, wanted.limits
        )
    except InvalidHostName as error:
        raise error if os.path.isfile(target) else UsageError(error.problem) from None
    if absent := sorted((wanted.only or frozenset()) - set(engine.inventory.hosts)):
        warn(f"{target} no longer has these hosts of the report: {join_names(absent, 10)}")
    for line in [*engine.warnings, *ignored_config_lines(engine.hosts)]:
        warn(line)
    set_inventory(target.removeprefix(PREFIX))
    return engine
