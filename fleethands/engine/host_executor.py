"""
Runs each host's operations one after the other, independently of other hosts.

pyinfra's own functions (api/operations.py, `run_ops`) run one operation at a time for the whole fleet, so that every
host waits for the slowest one.
"""

from __future__ import annotations

import time
from typing import Any

import gevent  # type: ignore[import-untyped]
from pyinfra.api import State
from pyinfra.api.operations import run_host_op
from pyinfra.context import ctx_host

from fleethands.engine.connections import Connections
from fleethands.engine.host_run import HostRun, RunAborted
from fleethands.facts.host_session import session_of
from fleethands.ssh.connection import disconnect
from fleethands.ssh.timeouts import HostTimeout
from fleethands.text.format import format_duration


class HostExecutor:
    """
    Runs the operations of one pyinfra state.

    + host_runs: host → how far it got
    + stopping: no further operation starts
    """

    def __init__(self, state: State, connections: Connections) -> None:
        self.host_runs: dict[str, HostRun] = {}
        self.stopping = False
        self._state, self._connections, self._monitor = state, connections, connections.monitor
        self._limit = connections.monitor.limits.host
        self._at_work: set[Any] = set()

    def stop(self) -> None:
        """Start no further operation. Operations that are at work are completed."""
        self.stopping = True
        for host in self._at_work:
            session_of(host).stop()

    def run_host(self, host: Any) -> None:
        """
        Run all operations of one host, up to the first one that fails.

        It raises nothing: `host_runs` has the reason.
        """
        run = self.host_runs[host.name] = HostRun()
        started = time.monotonic()
        ctx_host.set(host)  # of this greenlet alone
        self._at_work.add(host)
        try:
            with gevent.Timeout(self._limit, HostTimeout()):
                run.finished = self._run_operations(host, run)
        except HostTimeout:
            run.problem = self._timeout_problem(host, run)
            disconnect(host)  # nothing reads the output of what still runs there
        except RunAborted:
            run.interrupt(self._monitor.command_line.resume_hints(host.name), at_once=True)
        except Exception as error:  # of pyinfra, or of a program in the project
            lost = self._monitor.lost_connections.get(host.name)
            run.problem = lost or (f"{run.operation}: {type(error).__name__}: {error}", [])
        finally:
            self._at_work.discard(host)
            session_of(host).drop_sequence()
        run.seconds = time.monotonic() - started
        self._connections.timeline.leave(host.name)

    def _run_operations(self, host: Any, run: HostRun) -> bool:
        """Whether all of them succeeded."""
        for op_hash in self._state.get_op_order():
            if self.stopping and not self._has_begun(host, op_hash):
                run.interrupt(self._monitor.command_line.resume_hints(host.name), at_once=False)
                return False
            (run.operation,) = self._state.get_op_meta(op_hash).names
            if op_hash in self._state.ops[host] and not run_host_op(self._state, host, op_hash):
                return False
        return True

    def _has_begun(self, host: Any, operation: str) -> bool:
        """Whether the host is already at this operation, or at a later one, of a sequence."""
        sequence = session_of(host).sequence
        return sequence is not None and bool(sequence.has_begun(operation))

    def _timeout_problem(self, host: Any, run: HostRun) -> tuple[str, list[str]]:
        longer = ["allow more time: `--host-timeout`"] if self._monitor.command_line.command == "apply" else []
        hints = [*longer, *self._monitor.command_line.resume_hints(host.name)]
        return f"did not finish within {format_duration(self._limit)}, at `{run.operation}`", hints
