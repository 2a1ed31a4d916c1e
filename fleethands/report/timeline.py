"""When each host was worked on, and for how long: connect, probe, each operation, the checks from the controller."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyinfra.api import State
from pyinfra.api.state import BaseStateCallback

from fleethands.report.step import Step

CONNECT = "Connect"
READ = "Read what is there"
LOOK = "Look from this machine"
OURS = {CONNECT, READ, LOOK}


@dataclass(frozen=True)
class _Begun:
    at: float
    clock: float


class Timeline(BaseStateCallback):
    """
    Notes what begins and ends on each host. One timeline serves all batches of a run: add it to each pyinfra state.

    + wall: seconds since 1970; clock: seconds that never jump

    Example:

        timeline = Timeline()
        with timeline.step("gpu-1", LOOK):
            ...
        timeline.steps("gpu-1")  # [Step(LOOK, 1764360000.0, 0.2)]
    """

    def __init__(self, wall: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._clock = wall, clock
        self._steps: dict[str, list[Step]] = {}
        self._begun: dict[tuple[str, str], _Begun] = {}

    def steps(self, host: str) -> list[Step]:
        """A host's steps, in the order in which they began. A step that has not ended counts as failed, up to now."""
        left = [self._step(name, begun, ok=False) for (on, name), begun in self._begun.items() if on == host]
        return sorted([*self._steps.get(host, []), *left], key=lambda step: step.started)

    def leave(self, host: str) -> None:
        """End all steps of a host that have not ended: they failed."""
        for on, name in list(self._begun):
            if on == host:
                self._end(host, name, ok=False)

    @contextmanager
    def step(self, host: str, name: str) -> Iterator[None]:
        """Time a block of work for a host. An exception in it is a failure."""
        self._begin(host, name)
        try:
            yield
        except BaseException:
            self._end(host, name, ok=False)
            raise
        self._end(host, name, ok=True)

    def host_before_connect(self, _state: State, host: Any) -> None:
        self._begin(host.name, CONNECT)

    def host_connect(self, _state: State, host: Any) -> None:
        self._end(host.name, CONNECT, ok=True)

    def host_connect_error(self, _state: State, host: Any, _error: Exception) -> None:
        self._end(host.name, CONNECT, ok=False)

    def operation_host_start(self, state: State, host: Any, op_hash: str) -> None:
        self._begin(host.name, _name(state, op_hash))

    def operation_host_success(self, state: State, host: Any, op_hash: str, _retries: int = 0) -> None:
        self._end(host.name, _name(state, op_hash), ok=True)

    def operation_host_error(
        self, state: State, host: Any, op_hash: str, _retries: int = 0, _most_retries: int = 0
    ) -> None:
        self._end(host.name, _name(state, op_hash), ok=False)

    def _begin(self, host: str, name: str) -> None:
        self._begun[host, name] = _Begun(self._wall(), self._clock())

    def _end(self, host: str, name: str, *, ok: bool) -> None:
        if begun := self._begun.pop((host, name), None):
            self._steps.setdefault(host, []).append(self._step(name, begun, ok=ok))

    def _step(self, name: str, begun: _Begun, *, ok: bool) -> Step:
        return Step(name, begun.at, self._clock() - begun.clock, ok)


def _name(state: State, op_hash: str) -> str:
    (name,) = state.get_op_meta(op_hash).names
    return str(name)
