"""Runs the command of a secret, once in a process."""

from __future__ import annotations

import shlex
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from fleethands.program_output import Output, wait_for_end
from fleethands.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 60.0  # seconds: a password manager may ask its user to unlock it
PAUSE = 0.01  # seconds between two looks at the lock
MOST_BYTES = 1 << 16  # of a value
MOST_MESSAGES = 4 << 10  # bytes of standard error that are kept

_answers: dict[str, str | ValueError] = {}
_lock = threading.Lock()  # hosts are read in parallel


def run(line: str) -> str:
    """
    The output of a command without its last newline. A second call returns the answer of the first.

    + line: the command line. No shell reads it.

    Raises ValueError with the command's messages; the output is never part of it.
    """
    with _alone():
        if line not in _answers:
            try:
                _answers[line] = _run(line)
            except ValueError as error:
                _answers[line] = error
        answer = _answers[line]
    if isinstance(answer, ValueError):
        raise ValueError(str(answer))
    return answer


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock. Greenlets share a thread, which must not block while one of them waits for its command."""
    while not _lock.acquire(blocking=False):
        time.sleep(PAUSE)
    try:
        yield
    finally:
        _lock.release()


def _run(line: str) -> str:
    process = _start(line)
    output, messages = _Beginning(MOST_BYTES), _Beginning(MOST_MESSAGES)
    printed = Output(process.stdout, output)
    try:
        code = wait_for_end(process, printed, Output(process.stderr, messages), timeout=TIMEOUT)
    finally:
        with suppress(OSError):
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    if output.is_full:
        raise ValueError(f"`{line}` printed more than {MOST_BYTES} bytes")
    if code is None:
        raise ValueError(f"`{line}` did not end within {TIMEOUT:.0f} s")
    if code != 0:
        said = sanitize_line(messages.text.decode(errors="replace"))
        raise ValueError(f"`{line}` exited with {code}" + (f": {said}" if said else ""))
    if not printed.has_ended:
        raise ValueError(f"`{line}` ended, but another program still holds its output open")
    return _value(line, output.text)


def _start(line: str) -> subprocess.Popen[bytes]:
    words: list[str] = []
    try:
        words = shlex.split(line)
        if not words:
            raise ValueError("it is empty")
        return subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
    except OSError as error:
        problem = f"cannot run `{words[0]}`: {error.strerror}"
    except ValueError as error:  # shlex's own, a zero byte
        problem = f"cannot run `{line}`: {str(error).lower()}"
    raise ValueError(problem)


def _value(line: str, output: bytes) -> str:
    try:
        value = output.decode().removesuffix("\n")
    except UnicodeDecodeError:  # its text would show a part of the value
        value = None
    if value is None:
        raise ValueError(f"`{line}` printed bytes that are not text in UTF-8")
    if not value:
        raise ValueError(f"`{line}` printed nothing")
    return value


class _Beginning:
    """
    The beginning of what a program prints.

    + is_full: whether there was more
    """

    def __init__(self, most: int) -> None:
        self.text, self.is_full, self._most = b"", False, most

    def receive(self, block: bytes) -> None:
        """Keep as much of a block as there is room for."""
        room = self._most - len(self.text)
        self.text += block[:room]
        self.is_full = self.is_full or len(block) > room
