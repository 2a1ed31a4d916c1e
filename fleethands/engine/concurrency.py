"""Many hosts at a time, each in a greenlet of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import gevent  # type: ignore[import-untyped]
from gevent.pool import Pool  # type: ignore[import-untyped]

from fleethands.ssh.timeouts import SHUTDOWN_TIMEOUT

MAX_CONCURRENT = 100  # hosts


class HostPool:
    """The hosts at which something is done just now."""

    def __init__(self) -> None:
        self.walkers: list[Any] = []

    def each(self, do: Callable[[Any], None], hosts: Iterable[Any], at_once: int = MAX_CONCURRENT) -> None:
        """Do it for every host, `at_once` of them side by side, and wait for all."""
        pool = Pool(at_once)
        self.walkers = []
        for host in hosts:
            self.walkers.append(pool.spawn(do, host))
        gevent.joinall(self.walkers)

    def ask(self, do: Callable[[Any], None], hosts: Iterable[Any], at_once: int = MAX_CONCURRENT) -> None:
        """The same for what changes nothing: nobody is asked any further once it is interrupted."""
        try:
            self.each(do, hosts, at_once)
        finally:
            self.end(gevent.GreenletExit)

    def end(self, error: type[BaseException]) -> None:
        """Throw it in at every host that is not done."""
        gevent.killall(self.walkers, error, timeout=SHUTDOWN_TIMEOUT)
