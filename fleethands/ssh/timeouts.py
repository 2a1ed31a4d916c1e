"""How long a host may take: to be reached, to say something, to be done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gevent  # type: ignore[import-untyped]

CONNECT = 10.0  # seconds, and as many again for each of: banner, keys, login
CONNECTED = 180.0  # seconds for all of it, jump hosts and further tries included
SHUTDOWN_TIMEOUT = 5.0  # seconds for what is to end at once
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
    """A remote command printed nothing for too long."""


class HostTimeout(BaseException):
    """
    A host exceeded its time for a whole run.

    It derives from BaseException, so that no handler of one command's errors catches it.
    """


class OutputTimeout:
    """
    Raises CommandStalled in the greenlet that entered it, once `limit` seconds have passed since the last `reset`.

    Example:

        with OutputTimeout(60) as timeout:
            for line in output:
                timeout.reset()
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._timer: Any = None

    def reset(self) -> None:
        """Count from now: the command has printed something."""
        self._latest = time.monotonic()

    def __enter__(self) -> OutputTimeout:
        self._waiting = gevent.getcurrent()
        self.reset()
        self._start_timer(self._limit)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()
        self._timer.close()

    def _start_timer(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.close()
        self._timer = gevent.get_hub().loop.timer(seconds)
        self._timer.start(self._check)

    def _check(self) -> None:
        remaining = self._latest + self._limit - time.monotonic()
        if remaining > 0:
            self._start_timer(remaining)
        else:
            self._waiting.throw(CommandStalled())
