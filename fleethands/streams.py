"""Reads the output of remote commands in blocks, with limits for bytes and lines, and a decoder that cannot fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import gevent  # type: ignore[import-untyped]
import pyinfra.connectors.ssh
import pyinfra.connectors.util
from paramiko import SSHException
from pyinfra.api.output import echo, format_text
from pyinfra.connectors.util import CommandOutput, OutputLine, write_stdin

from fleethands.text.format import format_size

MAX_BYTES = 8 << 20  # of each output of one command; the probe of a large host has a tenth of that
MAX_LINES = 100_000
MAX_LINE_BYTES = 1 << 20
BLOCK = 1 << 15
Listener = Callable[[str, list[str]], None]  # the name of an output, `stdout` or `stderr`, and lines of it
PROGRESS = "progress: "  # begins a line that is shown and not stored, because a command may print such lines for days


class TooMuchOutput(OSError):
    """A host printed more than the limits allow; the message is a sentence that begins with "it"."""


class Lines:
    """
    Splits blocks of bytes into lines of text, within limits.

    + uncounted: prefix of lines that the caller does not store, and that count for no limit; None: all lines count
    """

    def __init__(
        self,
        most: int = MAX_BYTES,
        lines: int = MAX_LINES,
        longest: int = MAX_LINE_BYTES,
        uncounted: bytes | None = None,
    ) -> None:
        self._most, self._lines, self._longest, self._uncounted = most, lines, longest, uncounted
        self._bytes = self._count = 0
        self._open: list[bytes] = []
        self._length = 0

    def feed(self, block: bytes) -> list[str]:
        """The lines that end in this block. Raises TooMuchOutput."""
        self._bytes += len(block)
        if self._bytes > self._most:
            raise TooMuchOutput(f"it sent more than {format_size(self._most)}, and was given up")
        self._count += block.count(b"\n")
        if self._count > self._lines:
            raise TooMuchOutput(f"it sent more than {self._lines} lines, and was given up")
        *ended, rest = block.split(b"\n")
        lines = [self._line(part) for part in ended]
        self._length += len(rest)
        if self._length > self._longest:
            raise TooMuchOutput(f"it sent a line of more than {format_size(self._longest)}, and was given up")
        self._open.append(rest)
        return lines

    def rest(self) -> list[str]:
        """The last line, if it has no line break."""
        return [self._line(b"")] if any(self._open) else []

    def _line(self, part: bytes) -> str:
        whole = b"".join([*self._open, part]) if self._open else part
        self._open, self._length = [], 0
        if self._uncounted is not None and whole.startswith(self._uncounted):
            self._bytes -= len(whole) + 1
            self._count -= 1
        return whole.decode(errors="replace")


class LiveInput:
    """
    Standard input that stays open while its command runs, so that the command learns when this process dies.

    + text: the beginning of it
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._channel: Any = None

    def attach(self, buffer: Any) -> None:
        """Write the text to the input of a command. Raises OSError if the connection is lost."""
        self._channel = buffer.channel
        buffer.write(self.text.encode())
        buffer.flush()
        buffer.close = lambda: None  # pyinfra closes it next (connectors/ssh.py, `run_shell_command`)

    def stop(self) -> None:
        """Send one byte to the command, which has read the text. It waits as long as the host takes none."""
        with suppress(OSError, EOFError, SSHException):  # the command has ended, or the host exchanges keys without end
            self._channel.send(b"s")


_listeners: ContextVar[tuple[Listener, ...]] = ContextVar("listeners", default=())  # of a greenlet


@contextmanager
def listen(on_lines: Listener) -> Iterator[None]:
    """Within a `with` block, pass the lines of a command's output to this listener too, as they come."""
    before = _listeners.set((*_listeners.get(), on_lines))
    try:
        yield
    finally:
        _listeners.reset(before)


def read_output(
    stdout: Any,
    stderr: Any,
    timeout: float | None,
    print_output: bool,
    print_prefix: str,
) -> CommandOutput:
    """
    All output of a command, as pyinfra's type. It is shown line by line meanwhile, and passed to the listeners.

    + timeout: seconds for the whole output

    Raises TooMuchOutput or TimeoutError, and reads no more then, and SSHException if the host refused the command.
    """
    kept: list[OutputLine] = []
    prefix = print_prefix if print_output else None
    listeners = _listeners.get()
    readers = [
        gevent.spawn(_collect, kept, "stdout", _receiver(stdout, "recv"), prefix, str, listeners),
        gevent.spawn(_collect, kept, "stderr", _receiver(stderr, "recv_stderr"), prefix, _as_error, listeners),
    ]
    try:
        for ended in gevent.iwait(readers, timeout=timeout):
            if ended.value is not None:
                raise ended.value
        if not all(reader.ready() for reader in readers):
            raise TimeoutError
        require_reply(getattr(stdout, "channel", None))
    except BaseException:
        gevent.killall(readers)
        _close(stdout, stderr)
        raise
    return CommandOutput(kept)


def _collect(
    kept: list[OutputLine],
    name: str,
    receive: Callable[[int], bytes],
    prefix: str | None,
    show: Callable[[str], str],
    listeners: tuple[Listener, ...],
) -> Exception | None:
    """
    Add the lines of one stream. An error is returned, so that the caller raises it.

    Bytes that end no line are passed to no listener, so a host that sends nothing else counts as silent.

    + prefix: what each printed line begins with; None: lines are not printed
    """
    try:
        for lines in filter(None, _received(receive)):
            kept += [OutputLine(name, line) for line in lines if not line.startswith(PROGRESS)]
            for on_lines in listeners:
                on_lines(name, lines)
            for line in lines if prefix is not None else ():
                echo(f"{prefix}{show(line)}", err=True)
    except Exception as error:
        return error
    return None


def require_reply(channel: Any) -> None:
    """Raises SSHException if the host refused the command of an SSH channel whose output has ended."""
    if getattr(channel, "event_ready", True) is False:
        raise SSHException("Channel closed.")  # as paramiko words it


def _as_error(line: str) -> str:
    return format_text(line, "red")


def write_input(stdin: Any, buffer: Any) -> None:
    """
    Write the standard input of a command. A command that exits before it has read everything has failed, and its output
    is still read. A forced command does that, and an account without a shell.

    Raises OSError if the connection is lost.
    """
    try:
        stdin.attach(buffer) if isinstance(stdin, LiveInput) else write_stdin(stdin, buffer)
    except OSError:
        channel = getattr(buffer, "channel", None)
        if channel is None or not channel.closed or not channel.get_transport().is_active():
            raise
        channel.exit_status = channel.exit_status or 1


def use_limited_streams() -> None:
    """
    Make pyinfra's connectors read and write with these functions. Their own have no limits, and fail at a byte that is
    not UTF-8.
    """
    pyinfra.connectors.ssh.read_output_buffers = read_output
    pyinfra.connectors.util.read_output_buffers = read_output
    setattr(pyinfra.connectors.ssh, "write_stdin", write_input)  # noqa: B010 (not exported, to the type checker)


def _received(receive: Callable[[int], bytes]) -> Iterator[list[str]]:
    lines = Lines(uncounted=PROGRESS.encode())
    while block := receive(BLOCK):
        yield lines.feed(block)
    yield lines.rest()


def _receiver(buffer: Any, word: str) -> Callable[[int], bytes]:
    """A function that returns available bytes without waiting for more, of an SSH channel or a pipe."""
    channel = getattr(buffer, "channel", None)
    found: Callable[[int], bytes] = getattr(channel, word) if channel is not None else buffer.read1
    return found


def _close(*buffers: Any) -> None:
    for buffer in buffers:
        with suppress(Exception):  # it may be closed already
            getattr(buffer, "channel", buffer).close()
