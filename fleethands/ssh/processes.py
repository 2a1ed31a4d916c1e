"""Local programs for SSH: one that is run for its output, and one that carries a connection."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import gevent  # type: ignore[import-untyped]
from gevent import socket, subprocess

from fleethands.streams import BLOCK, TooMuchOutput
from fleethands.text.format import format_size
from fleethands.text.sanitize import sanitize

MOST_SAID = 1 << 18  # bytes of one answer
MOST_KEPT = 4 << 10  # bytes of standard error; the rest is read and dropped
LOOKS = 0.005  # seconds between two reads of a program's output
MESSAGE_TIMEOUT = 1.0  # seconds for the last messages of a program


def run_program(words: Sequence[str], most: int = MOST_SAID) -> tuple[str, str]:
    """
    Standard output and standard error of a program. An interrupt kills the program and its children.

    + words: the path of the program, and its arguments

    The program is spawned, because a fork copies this process' page tables, which are large for a large fleet.

    Raises OSError, TooMuchOutput.
    """
    (out, to_out), (complaints, to_complaints), null = os.pipe(), os.pipe(), os.open(os.devnull, os.O_RDONLY)
    actions = [(os.POSIX_SPAWN_DUP2, each, place) for place, each in enumerate((null, to_out, to_complaints))]
    try:
        process = os.posix_spawn(words[0], [*words], os.environ, file_actions=actions, setpgroup=0)
    except OSError:
        _close(out, complaints)
        raise
    finally:
        _close(null, to_out, to_complaints)
    readers = [gevent.spawn(_read_all, each, most) for each in (out, complaints)]
    try:
        gevent.joinall(readers, raise_error=True)
        return readers[0].value, readers[1].value
    except BaseException:
        _kill(process)
        raise
    finally:
        gevent.killall(readers)
        _reap(process)


def _reap(process: int) -> None:
    """Collect the exit status. The outputs are closed, so the program ends within a moment."""
    with suppress(ChildProcessError):  # gevent's loop may have been first
        for _ in range(100):
            if os.waitpid(process, os.WNOHANG)[0]:
                return
            gevent.sleep(0.01)


def _read_all(pipe: int, most: int) -> str:
    """
    Read everything by polling. With an event loop, one in 150 runs of a program as short as `ssh -G` missed the end of
    the output and waited for the whole timeout (Linux 6.18 with epoll).
    """
    said = bytearray()
    try:
        os.set_blocking(pipe, False)
        while block := _read_soon(pipe):
            said += block
            if len(said) > most:
                raise TooMuchOutput(f"it sent more than {format_size(most)}, and was given up")
    finally:
        os.close(pipe)
    return said.decode(errors="replace")


def _read_soon(pipe: int) -> bytes:
    while True:
        try:
            return os.read(pipe, BLOCK)
        except BlockingIOError:
            gevent.sleep(LOOKS)


def _close(*files: int) -> None:
    for each in files:
        os.close(each)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


class ProxyProcess(socket.socket):
    """
    A connection over a program's standard input and output. The program ends with it.

    + words: the program and its arguments

    Raises OSError.
    """

    def __init__(self, words: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            os.set_blocking(theirs.fileno(), True)  # gevent's sockets do not block, and few programs expect that
            with ours:
                far = theirs.fileno()
                self._process = subprocess.Popen(
                    words, stdin=far, stdout=far, stderr=subprocess.PIPE, start_new_session=True
                )
                super().__init__(fileno=ours.detach())
        self._complaints = bytearray()
        self._reader = gevent.spawn(self._listen, self._process.stderr)

    def _listen(self, stream: Any) -> None:
        with stream:
            while block := stream.read1(BLOCK):
                self._complaints += block[: MOST_KEPT - len(self._complaints)]

    def last_words(self) -> str:
        """The program's messages, safe to show, one per line."""
        self._reader.join(timeout=MESSAGE_TIMEOUT)
        return sanitize(self._complaints.decode(errors="replace"))

    def close(self) -> None:
        """End the connection and the program."""
        super().close()
        if self._process.poll() is None:
            _kill(self._process.pid)
