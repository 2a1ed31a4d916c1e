"""Reads what a program on this machine prints, until the program ends."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from typing import IO, Protocol

BLOCK = 1 << 16  # bytes
LAST_OUTPUT = 2.0  # seconds for the output of a program that ended
LOOK = 0.05  # seconds; no event says on every system that a silent program has ended


class Receiver(Protocol):
    """
    Takes the blocks of one output.

    + is_full: whether the rest is not wanted
    """

    @property
    def is_full(self) -> bool: ...
    def receive(self, block: bytes) -> None: ...


class Output:
    """
    One output of a program.

    + stream: the program's; receiver: what takes its blocks
    """

    def __init__(self, stream: IO[bytes] | None, receiver: Receiver) -> None:
        self.receiver, self.has_ended = receiver, stream is None
        self._stream = stream
        if stream is not None:
            os.set_blocking(stream.fileno(), False)

    def fileno(self) -> int:
        """For `selectors`."""
        return self._stream.fileno() if self._stream else -1

    def read(self) -> None:
        """Pass one block on, if there is one."""
        if self.has_ended:
            return
        try:
            block = os.read(self.fileno(), BLOCK)
        except BlockingIOError:
            return
        self.has_ended = not block
        if block:
            self.receiver.receive(block)


def wait_for_end(process: subprocess.Popen[bytes], output: Output, *others: Output, timeout: float) -> int | None:
    """
    Read a program's outputs until it has ended, and `output` too. A program in the background may hold it open.

    + timeout: seconds

    Returns the exit code; None if the program did not end in time, or its output is not wanted any more.
    """
    deadline, code = time.monotonic() + timeout, None
    with selectors.DefaultSelector() as selector:
        for each in (output, *others):
            if not each.has_ended:
                selector.register(each, selectors.EVENT_READ)
        while time.monotonic() < deadline and not output.receiver.is_full:
            for key, _ in selector.select(LOOK):
                key.fileobj.read()  # type: ignore[union-attr]  # an Output
                if key.fileobj.has_ended:  # type: ignore[union-attr]
                    selector.unregister(key.fileobj)
            if code is None and (code := process.poll()) is not None:
                deadline = min(deadline, time.monotonic() + LAST_OUTPUT)
            if code is not None and output.has_ended:
                break
    return code
