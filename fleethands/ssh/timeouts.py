"""Timeouts for connections, for silence of commands, and for all of a host."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gevent  # type: ignore[import-untyped]

CONNECT = 10.0  # seconds each for the connection, the banner, the keys and the login
CONNECTED = 180.0  # seconds for all of these together, jump hosts and retries included
SHUTDOWN_TIMEOUT = 5.0  # seconds for something that should end at once
LOST = 60  # seconds without an acknowledgement, after which a connection is lost


@dataclass(frozen=True)
class Limits:
    """
    Limits in seconds.

    + silence: of one remote command; a slow download prints nothing for a long time
    + host: for everything on one host
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
