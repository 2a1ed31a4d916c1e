"""Runs the command of a secret, once in a process."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from fleethands.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 60.0  # seconds: a password manager may ask its user to unlock it
LAST_OUTPUT = 2.0  # seconds for the output of a command that ended
PAUSE = 0.01  # seconds between two looks
MOST_BYTES = 1 << 16  # of a value
MOST_MESSAGES = 4 << 10  # bytes of standard error that are kept
_BLOCK = 1 << 16

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
    output, messages = _Output(process.stdout, MOST_BYTES), _Output(process.stderr, MOST_MESSAGES)
    try:
        code = _wait(process, output, messages)
    finally:
        with suppress(OSError):
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    if output.is_too_long:
        raise ValueError(f"`{line}` printed more than {MOST_BYTES} bytes")
    if code is None:
        raise ValueError(f"`{line}` did not end within {TIMEOUT:.0f} s")
    if code != 0:
        said = sanitize_line(messages.text.decode(errors="replace"))
        raise ValueError(f"`{line}` exited with {code}" + (f": {said}" if said else ""))
    return _value(line, output)


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


def _wait(process: subprocess.Popen[bytes], output: _Output, messages: _Output) -> int | None:
    """The exit code of a program whose output is read; None if it has none in time, or prints too much."""
    end = time.monotonic() + TIMEOUT
    code: int | None = None
    while time.monotonic() < end and not output.is_too_long:
        for each in (output, messages):
            each.read()
        if code is None and (code := process.poll()) is not None:
            end = min(end, time.monotonic() + LAST_OUTPUT)
        if code is not None and output.has_ended:
            break
        time.sleep(PAUSE)
    return code


def _value(line: str, output: _Output) -> str:
    if not output.has_ended:
        raise ValueError(f"`{line}` ended, but another program still holds its output open")
    try:
        value = output.text.decode().removesuffix("\n")
    except UnicodeDecodeError:  # its text would show a part of the value
        value = None
    if value is None:
        raise ValueError(f"`{line}` printed bytes that are not text in UTF-8")
    if not value:
        raise ValueError(f"`{line}` printed nothing")
    return value


class _Output:
    """What a program has printed so far."""

    def __init__(self, stream: IO[bytes] | None, most: int) -> None:
        self.text, self.has_ended, self.is_too_long = b"", stream is None, False
        self._file, self._most = stream.fileno() if stream else -1, most
        if stream is not None:
            os.set_blocking(self._file, False)

    def read(self) -> None:
        """Read a block, and keep the beginning of all output."""
        if self.has_ended:
            return
        try:
            block = os.read(self._file, _BLOCK)
        except BlockingIOError:
            return
        self.has_ended = not block
        room = self._most - len(self.text)
        self.text += block[:room]
        self.is_too_long = self.is_too_long or len(block) > room
