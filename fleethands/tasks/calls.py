"""The tasks that the deploy files called for each host, so that a missing one can be brought along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fleethands.facts.host_session import session_of
from fleethands.settings import HostSettings


@dataclass(frozen=True)
class Call:
    """
    One task in the plan of one host.

    + task: its function
    + conditions: what pyinfra runs it under (`_if`)
    """

    task: Callable[..., None]
    settings: HostSettings
    conditions: tuple[Callable[[], bool], ...]


def record(host: Any, call: Call) -> None:
    """A task is in the plan of a host from now on."""
    session_of(host).tasks.append(call)


def is_planned(host: Any, wanted: Call) -> bool:
    """Whether a task is in the plan of a host, under no other conditions than the wanted ones."""
    return any(
        known.task is wanted.task
        and (known.settings is wanted.settings or known.settings == wanted.settings)
        and all(each in wanted.conditions for each in known.conditions)
        for known in session_of(host).tasks
    )
