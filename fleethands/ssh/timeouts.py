"""How long a host may take: to be reached, to say something, to be done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gevent  # type: ignore[import-untyped]

CONNECT = 10.0  # seconds, and as many again for each of: banner, keys, login
CONNECTED = 180.0  # seconds for all of it, jump hosts and further tries included
LAST_WORDS = 5.0  # seconds for what is to end at once
LOST = 60  # seconds after which what was sent and not received makes a connection lost


@dataclass(frozen=True)
class Limits:
    """
    Seconds.

    + silence: of a remote command; one that fetches a release or an image over a thin line is silent for long
    + host: for all that is done on one host
    """

    silence: float = 60 * 60
    host: float = 4 * 60 * 60


LIMITS = Limits()


class CommandStalled(TimeoutError):
    """A remote command said nothing for too long."""


class HostTimeout(BaseException):
    """A host took too long in all; no error of one command, so that nothing but its walk ends on it."""


class OutputTimeout:
    """Ends what its greenlet waits for, once nothing was heard for `limit` seconds."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._timer: Any = None

    def heard(self) -> None:
        """There is life."""
        self._last = time.monotonic()

    def __enter__(self) -> OutputTimeout:
        self._waiting = gevent.getcurrent()
        self.heard()
        self._again(self._limit)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()
        self._timer.close()

    def _again(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.close()
        self._timer = gevent.get_hub().loop.timer(seconds)
        self._timer.start(self._look)

    def _look(self) -> None:
        left = self._last + self._limit - time.monotonic()
        if left > 0:
            self._again(left)
        else:
            self._waiting.throw(CommandStalled())


def spoken(seconds: float) -> str:
    """`20 min`, `2 h`, `45 s`."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
