"""What a worker is asked for."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fleethands.command_line import CommandLine
from fleethands.deploy_options import DeployOptions
from fleethands.errors import FleethandsError
from fleethands.rollout.strategy import RolloutStrategy

Action = Literal["settings", "plan", "status", "verify", "apply", "rollback"]
Hosts = Mapping[str, Mapping[str, Any]]
HOUR = 60 * 60


@dataclass(frozen=True)
class CodeFleet:
    """Hosts without an inventory file: name → host data, and group → names of hosts."""

    hosts: Hosts
    groups: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Request:
    """
    One call of the Python API.

    + line: target, host patterns and shard; hints are made of it
    + data: host data for all hosts; options: what the deploy file is passed
    + code: the hosts, in place of the target
    + strategy, lock_wait: of a run that changes hosts; None for all hosts at once, without rollback
    + host_timeout, command_timeout: seconds
    """

    action: Action
    line: CommandLine
    data: Mapping[str, Any] = field(default_factory=dict)
    options: DeployOptions = field(default_factory=DeployOptions)
    code: CodeFleet | None = None
    strategy: RolloutStrategy | None = None
    lock_wait: float = 0.0
    host_timeout: float = 4 * HOUR
    command_timeout: float = HOUR

    def to_bytes(self) -> bytes:
        """For the worker. Raises FleethandsError for host data that cannot be sent."""
        try:
            return pickle.dumps(self)
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
            hint = "host data of a program: text, numbers, lists, dictionaries, `Secret` and `Path`"
            raise FleethandsError(f"host data cannot be sent to the worker process: {error}", hint) from None

    @classmethod
    def from_bytes(cls, data: bytes) -> Request:
        """From this package's own `to_bytes`, in the parent of this process. Raises FleethandsError."""
        try:
            request: Request = pickle.loads(data)  # noqa: S301  the parent process wrote it
        except (pickle.UnpicklingError, AttributeError, ImportError) as error:
            hint = "use text, numbers, lists, dictionaries, `Secret` and `Path`, or classes of a module"
            raise FleethandsError(f"host data cannot be read by the worker process: {error}", hint) from None
        return request
