"""Tries the closed ports of each host while the host makes its proof, because silence takes time to hear."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gevent  # type: ignore[import-untyped]
from pyinfra.api import State
from pyinfra.api.state import BaseStateCallback

from fleethands import facts
from fleethands.operations.core import journal
from fleethands.operations.core.proof_record import Link
from fleethands.rollout.build_report import PROOF_TASK
from fleethands.rollout.external_checks import CONNECTION_ERRORS, check_ports


class PortChecks(BaseStateCallback):
    """
    Begins the check of a host when it begins the proof that its plan has: everything listens then that will listen.

    Example:

        checks = PortChecks()
        state.add_callback_handler(checks)
        ...  # the state's operations run
        checks.links("gpu-1")
    """

    def __init__(self) -> None:
        self._begun: dict[str, tuple[Any, Callable[[], bool]]] = {}

    def operation_host_start(self, state: State, host: Any, op_hash: str) -> None:
        (name,) = state.get_op_meta(op_hash).names
        if name.startswith(f"{PROOF_TASK} | ") and name in journal.operations_with_changes(host):
            self._begun[host.name] = gevent.spawn(_check, host), partial(_has_changed_since, state, host, op_hash)

    def links(self, name: str) -> list[Link] | None:
        """
        What was seen of a host, once that is known. None if nothing could be tried, or if an operation behind the proof
        has changed the host since.
        """
        begun, has_changed = self._begun.pop(name, (None, None))
        if begun is None or has_changed is None or has_changed():
            return None
        found: list[Link] | None = begun.get()
        return found


def _has_changed_since(state: State, host: Any, proof: str) -> bool:
    """Whether an operation behind the proof has sent commands: it may have replaced the firewall table."""
    order, rows = state.get_op_order(), state.ops[host]
    behind = (rows[each] for each in order[order.index(proof) + 1 :] if each in rows)
    return any(each.operation_meta.executed for each in behind)


def _check(host: Any) -> list[Link] | None:
    settings = facts.probed_settings(host)
    try:
        return check_ports(host, settings) if settings else None
    except CONNECTION_ERRORS:  # the check after the proof finds that too
        return None
