"""Events of a host that sends them without end, for a program that is slow or suspended."""

from __future__ import annotations

import json
import os

import gevent  # type: ignore[import-untyped]
import gevent.os  # type: ignore[import-untyped]
import pytest

from fleethands.api.events import MOST_WAITING, Event, EventQueue, HostDoneEvent, PullEvent, RemarkEvent
from fleethands.api.sender import Sender

END = HostDoneEvent("gpu-1", ok=True)
FLOODS = [RemarkEvent("gpu-1", "x"), PullEvent("gpu-1", "model a:b", 1, 2)]


@pytest.mark.parametrize("event", FLOODS)
def test_a_slow_program_gets_the_first_ones_and_the_end(event: Event) -> None:
    queue = EventQueue()
    for _ in range(2 * MOST_WAITING):
        queue.put(event)
    queue.put(END)
    queue.put(None)

    received = list(iter(queue.get, None))

    assert len(received) == MOST_WAITING + 1
    assert received[-1] == END


@pytest.mark.parametrize("event", FLOODS)
def test_a_worker_keeps_as_many_for_a_suspended_program(event: Event) -> None:
    read, write = os.pipe()
    sender = Sender(write)
    for _ in range(2 * MOST_WAITING):
        sender.send_event(event)
    sender.send_event(END)
    reader = gevent.spawn(read_all, read)
    sender.close()

    lines = reader.get().splitlines()

    assert len(lines) == MOST_WAITING + 1
    assert json.loads(lines[-1])["event"] == "HostDoneEvent"


def read_all(descriptor: int) -> bytes:
    gevent.os.make_nonblocking(descriptor)
    parts = list(iter(lambda: gevent.os.nb_read(descriptor, 1 << 16), b""))
    os.close(descriptor)
    return b"".join(parts)
