"""Runs a function for many hosts at once, each host in its own greenlet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import gevent  # type: ignore[import-untyped]
from gevent.pool import Pool  # type: ignore[import-untyped]

from fleethands.ssh.timeouts import SHUTDOWN_TIMEOUT

MAX_CONCURRENT = 100  # hosts
PLANNED_AT_ONCE = 32  # hosts; while each costs the controller CPU time, more connections would time out


class HostPool:
    """
    The hosts that an engine works on at the moment.

    `greenlets` are those of the latest call, one for each host.
    """

    def __init__(self) -> None:
        self.greenlets: list[Any] = []

    def change(self, function: Callable[[Any], None], hosts: Iterable[Any], at_once: int = MAX_CONCURRENT) -> None:
        """Call `function` for every host, `at_once` of them at the same time, and wait until all have finished."""
        pool = Pool(at_once)
        self.greenlets = []
        for host in hosts:
            self.greenlets.append(pool.spawn(function, host))
        gevent.joinall(self.greenlets)

    def read(self, function: Callable[[Any], None], hosts: Iterable[Any], at_once: int = MAX_CONCURRENT) -> None:
        """
        Like `change`, for a function that changes nothing on its host.

        An interrupt stops all of them at once, because none leaves a host in an unfinished state.
        """
        try:
            self.change(function, hosts, at_once)
        finally:
            self.kill(gevent.GreenletExit)

    def kill(self, error: type[BaseException]) -> None:
        """Raise `error` in the greenlet of every host that has not finished."""
        gevent.killall(self.greenlets, error, timeout=SHUTDOWN_TIMEOUT)
