"""Sessions of an SSH connection: each command needs one, and the next one can be opened while a command runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gevent  # type: ignore[import-untyped]
from paramiko import Channel, ChannelException, SSHException
from paramiko.common import OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED as PROHIBITED

PREPARED_WITHIN = 60.0  # seconds


class Sessions:
    """
    The sessions of one connection.

    + open_session: opens one, and waits until the host has confirmed it

    `round_trip` is the shortest time that a host needed to confirm a session, in seconds; None before the first one.

    Example:

        sessions = Sessions(transport.open_session)
        channel = sessions.open_two()  # the second one is ready for the next command
        sessions.take()
    """

    def __init__(self, open_session: Callable[..., Channel]) -> None:
        self.round_trip: float | None = None
        self._open_session = open_session
        self._next: Any = None  # the greenlet that opens it
        self._used: Channel | None = None  # by the latest command
        self._has_two = False  # the host opened the next one while that command was at work
        self._is_full = False

    def open(self, *words: Any, **options: Any) -> Channel:
        """Open a session. Raises SSHException, and ChannelException where the host allows no more."""
        self._used = channel = self._open_timed(*words, **options)
        return channel

    def _open_timed(self, *words: Any, **options: Any) -> Channel:
        begun = time.monotonic()
        channel = self._open_session(*words, **options)
        took = time.monotonic() - begun
        self.round_trip = took if self.round_trip is None else min(took, self.round_trip)
        return channel

    def open_two(self, timeout: float) -> Channel:
        """Open a session, and another one for `take`. Raises ChannelException where the host does not allow two."""
        ready, has_two = self.take(), self._has_two
        self.prepare()
        if ready is not None and has_two:
            return ready
        channel = ready or self.open(timeout=timeout)
        if self._next is None or self._next.get() is None:
            channel.close()
            raise ChannelException(PROHIBITED, "a second session is refused")
        return channel

    @property
    def has_next(self) -> bool:
        """Whether a session is open, or being opened, for the next command."""
        return self._next is not None

    def prepare(self) -> None:
        """Open a session for the next command, and wait for nothing. A host that refused one is not asked again."""
        if self._next is None and not self._is_full:
            self._next = gevent.spawn(self._open_next)

    def _open_next(self) -> Channel | None:
        try:
            channel = self._open_timed(timeout=PREPARED_WITHIN)
        except (SSHException, EOFError, OSError):  # a command that needs a session reports the error
            self._is_full = True
            return None
        self._has_two = self._used is not None and not self._used.closed
        return channel

    def take(self) -> Channel | None:
        """The session that was opened beforehand; None without one, or if the host has closed it."""
        opening, self._next = self._next, None
        channel: Channel | None = opening.get() if opening is not None else None
        if channel is None or channel.closed:
            return None
        self._used = channel
        return channel
