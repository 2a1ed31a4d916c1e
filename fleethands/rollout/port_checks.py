"""Tries the closed ports of each host while the host makes its proof, because silence takes time to hear."""

from __future__ import annotations

from typing import Any

import gevent  # type: ignore[import-untyped]
from pyinfra.api import State
from pyinfra.api.state import BaseStateCallback

from fleethands import facts
from fleethands.operations.core.proof_record import Link
from fleethands.rollout.build_report import PROOF_TASK
from fleethands.rollout.external_checks import CONNECTION_ERRORS, check_ports


class PortChecks(BaseStateCallback):
    """
    Begins the check of a host when its proof begins: everything listens then that will listen.

    Example:

        checks = PortChecks()
        state.add_callback_handler(checks)
        ...  # the state's operations run
        checks.links("gpu-1")
    """

    def __init__(self) -> None:
        self._begun: dict[str, Any] = {}

    def operation_host_start(self, state: State, host: Any, op_hash: str) -> None:
        (name,) = state.get_op_meta(op_hash).names
        if name.startswith(f"{PROOF_TASK} | "):
            self._begun[host.name] = gevent.spawn(_check, host)

    def links(self, name: str) -> list[Link] | None:
        """What was seen of a host, once that is known; None if nothing could be tried."""
        begun = self._begun.pop(name, None)
        found: list[Link] | None = begun.get() if begun is not None else None
        return found


def _check(host: Any) -> list[Link] | None:
    settings = facts.probed_settings(host)
    try:
        return check_ports(host, settings) if settings else None
    except CONNECTION_ERRORS:  # the check after the proof finds that too
        return None
