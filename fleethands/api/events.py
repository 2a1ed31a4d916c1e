"""What happens during a run, as values: a worker sends them, and a program receives them in `on_event`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from queue import SimpleQueue
from typing import Any

from fleethands.text.sanitize import sanitize


@dataclass(frozen=True)
class PhaseEvent:
    """A part of the run begins, such as `canary: gpu-1`, or the whole run has a message."""

    text: str


@dataclass(frozen=True)
class StepEvent:
    """
    An operation that changes a host begins.

    + operation: `Task | Operation`
    """

    host: str
    operation: str


@dataclass(frozen=True)
class PullEvent:
    """
    A host has received a part of a model.

    + what: `model NAME`
    + done, total: bytes; a total of 0 is not known yet
    """

    host: str
    what: str
    done: int
    total: int


@dataclass(frozen=True)
class RemarkEvent:
    """A script on a host has printed a progress line. The text is data of the host, without control characters."""

    host: str
    text: str


@dataclass(frozen=True)
class HostDoneEvent:
    """
    A host has no more to do.

    + ok: False if an operation failed
    """

    host: str
    ok: bool


@dataclass(frozen=True)
class WarningEvent:
    """Something in the inventory is ignored and may be a mistake, or a registry gave no answer."""

    text: str


Event = PhaseEvent | StepEvent | PullEvent | RemarkEvent | HostDoneEvent | WarningEvent
OnEvent = Callable[[Event], None]
MOST_WAITING = 10_000  # events; a program may be slow or suspended, and reads none
_KINDS: dict[str, type[Event]] = {
    each.__name__: each for each in (PhaseEvent, StepEvent, PullEvent, RemarkEvent, HostDoneEvent, WarningEvent)
}


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as JSON."""
    return {"event": type(event).__name__, **asdict(event)}


def event_from_json(document: Mapping[str, Any]) -> Event:
    """The event of `event_to_json`."""
    values = {key: value for key, value in document.items() if key != "event"}
    return _KINDS[document["event"]](**values)


def can_be_left_out(event: Event | None) -> bool:
    """Whether a host decides how many such events there are. A host may send them without end."""
    return isinstance(event, PullEvent | RemarkEvent)


class EventQueue:
    """Events that wait for the program. While very many wait, those that can be left out are dropped."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Event | None] = SimpleQueue()

    def put(self, event: Event | None) -> None:
        if not can_be_left_out(event) or self._waiting.qsize() < MOST_WAITING:
            self._waiting.put(event)

    def get(self) -> Event | None:
        """Wait for the next event. None is the end."""
        return self._waiting.get()


class EventListener:
    """
    A `ProgressListener` that makes events.

    + send: receives them
    """

    def __init__(self, send: OnEvent) -> None:
        self._send = send

    def phase(self, text: str) -> None:
        self._send(PhaseEvent(sanitize(text)))

    def step(self, host: str, name: str) -> None:
        self._send(StepEvent(host, name))

    def pull(self, host: str, what: str, done: int, total: int) -> None:
        self._send(PullEvent(host, sanitize(what), done, total))

    def remark(self, host: str, text: str) -> None:
        self._send(RemarkEvent(host, sanitize(text)))

    def done(self, host: str, ok: bool) -> None:
        self._send(HostDoneEvent(host, ok))
