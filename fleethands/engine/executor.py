"""Leads hosts through their operations, each at its own pace: pyinfra's own runs keep step, one operation a fleet."""

from __future__ import annotations

import time
from typing import Any

import gevent  # type: ignore[import-untyped]
from pyinfra.api import State
from pyinfra.api.operations import run_host_op
from pyinfra.context import ctx_host

from fleethands.engine.host_run import HostRun, RunAborted
from fleethands.engine.monitor import ConnectionMonitor
from fleethands.report.timeline import Timeline
from fleethands.ssh.connection import disconnect
from fleethands.ssh.timeouts import HostTimeout, format_duration


class HostExecutor:
    """
    The way of each host through the operations of one state.

    + walks: host → how far it came
    + stopping: no operation begins any more
    """

    def __init__(self, state: State, watch: ConnectionMonitor, timeline: Timeline) -> None:
        self.walks: dict[str, HostRun] = {}
        self.stopping = False
        self._state, self._watch, self._timeline = state, watch, timeline
        self._limit = watch.limits.host

    def lead(self, host: Any) -> None:
        """One host, to the end of its operations or to the one that fails; raises nothing, the walk says why."""
        walk = self.walks[host.name] = HostRun()
        begun = time.monotonic()
        ctx_host.set(host)  # of this greenlet alone
        try:
            with gevent.Timeout(self._limit, HostTimeout()):
                walk.done = self._goes_through(host, walk)
        except HostTimeout:
            longer = ["give it longer: `--host-timeout`"] if self._watch.command_line.command == "apply" else []
            hints = [*longer, *self._watch.command_line.resume_hints(host.name)]
            walk.why = f"not done within {format_duration(self._limit)}, at `{walk.step}`", hints
            disconnect(host)  # what still runs there is not listened to any more
        except RunAborted:
            walk.interrupt(self._watch.command_line.resume_hints(host.name), at_once=True)
        except Exception as error:  # of pyinfra, or of a program of the project's
            walk.why = self._watch.lost.get(host.name) or (f"{walk.step}: {type(error).__name__}: {error}", [])
        walk.seconds = time.monotonic() - begun
        self._timeline.leave(host.name)

    def _goes_through(self, host: Any, walk: HostRun) -> bool:
        for op_hash in self._state.get_op_order():
            if self.stopping:
                walk.interrupt(self._watch.command_line.resume_hints(host.name), at_once=False)
                return False
            (walk.step,) = self._state.get_op_meta(op_hash).names
            if op_hash in self._state.ops[host] and not run_host_op(self._state, host, op_hash):
                return False
        return True
