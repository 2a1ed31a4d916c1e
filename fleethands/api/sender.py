"""Sends the messages of a worker to its caller."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

import gevent  # type: ignore[import-untyped]
import gevent.os  # type: ignore[import-untyped]
import gevent.queue  # type: ignore[import-untyped]

from fleethands.api.events import MOST_WAITING, Event, can_be_left_out, event_to_json

Message = dict[str, Any]


class Sender:
    """
    Writes messages to a pipe, one line of JSON each. A caller that reads slowly delays no host.

    + descriptor: of the pipe
    """

    def __init__(self, descriptor: int) -> None:
        gevent.os.make_nonblocking(descriptor)
        self._descriptor = descriptor
        self._waiting: Any = gevent.queue.Queue()
        self._writer = gevent.spawn(self._write)

    def send(self, message: Message) -> None:
        self._waiting.put(message)

    def send_event(self, event: Event) -> None:
        """Progress of a host is left out while very many messages wait."""
        if not can_be_left_out(event) or self._waiting.qsize() < MOST_WAITING:
            self.send(event_to_json(event))

    def close(self) -> None:
        """Wait until everything is written."""
        self._waiting.put(None)
        self._writer.join()
        if not self._writer.successful():  # an interrupt ended it
            self._write()
        os.close(self._descriptor)

    def _write(self) -> None:
        with suppress(BrokenPipeError):  # the caller has died, and the run ends by itself
            for message in iter(self._waiting.get, None):
                left = memoryview(json.dumps(message).encode() + b"\n")
                while left:
                    left = left[gevent.os.nb_write(self._descriptor, left) :]
