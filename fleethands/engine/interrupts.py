"""
Handles Ctrl-C, SIGTERM and SIGHUP while hosts are at work.

gevent delivers a signal between two steps of the program, never within one, so that no greenlet is left in a half-done
state.
"""

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
    Within a `with` block, a signal raises KeyboardInterrupt where the main program waits. Another one exits at once.

    + stop: called for the first signal, instead: then the second one raises, and the third one exits

    Example:

        with Interrupts(engine.stop):
            engine.run(names, listener)
    """

    def __init__(self, stop: Callable[[], None] | None = None) -> None:
        self._stop = stop
        self._count = 0 if stop else 1  # without a polite stop, begin with the second reaction

    def __enter__(self) -> Interrupts:
        self._main = gevent.getcurrent()
        self._before = {each: signal.getsignal(each) for each in SIGNALS}
        # a signal that is ignored stays so: `nohup` ignores SIGHUP
        handled = [each for each, handler in self._before.items() if handler is not signal.SIG_IGN]
        self._watchers: list[Any] = [gevent.signal_handler(each, self._handle) for each in handled]
        return self

    def __exit__(self, *_: object) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        for each, handler in self._before.items():
            signal.signal(each, handler)  # gevent would leave the system's default

    def _handle(self) -> None:
        self._count += 1
        match self._count:
            case 1 if self._stop:
                self._stop()
            case 2:
                gevent.kill(self._main, KeyboardInterrupt)
            case _:
                os._exit(EXIT)
