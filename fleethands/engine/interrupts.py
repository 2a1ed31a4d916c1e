"""Ctrl-C and its like, heard while hosts are at work: between two steps of the program, never within one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import gevent  # type: ignore[import-untyped]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT = 130


class Interrupts:
    """
    For the time of a `with`, a signal raises KeyboardInterrupt where the main program waits.

    + stop: the first signal calls this instead, the second raises; a third ends the program on the spot
    """

    def __init__(self, stop: Callable[[], None] | None = None) -> None:
        self._stop = stop
        self._heard = 0

    def __enter__(self) -> Interrupts:
        self._main = gevent.getcurrent()
        self._before = {each: signal.getsignal(each) for each in SIGNALS}
        heeded = [each for each, handler in self._before.items() if handler is not signal.SIG_IGN]  # nohup, for one
        self._watchers: list[Any] = [gevent.signal_handler(each, self._hear) for each in heeded]
        return self

    def __exit__(self, *_: object) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        for each, handler in self._before.items():
            signal.signal(each, handler)  # gevent leaves the system's own behind

    def _hear(self) -> None:
        self._heard += 1
        patient = self._stop is not None
        if self._stop is not None and self._heard == 1:
            self._stop()
        elif self._heard > 1 + patient:
            os._exit(EXIT)
        else:
            gevent.kill(self._main, KeyboardInterrupt)
