"""What a host's command says, read by blocks: so many bytes, so many lines, and a decoder that cannot fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import gevent  # type: ignore[import-untyped]
import pyinfra.connectors.ssh
import pyinfra.connectors.util
from pyinfra.api.output import echo, format_text
from pyinfra.connectors.util import CommandOutput, OutputLine, write_stdin

from fleethands.text.format import format_size

MOST_BYTES = 8 << 20  # of each output of one command; a probe of a large host takes a tenth of it
MOST_LINES = 100_000
LONGEST = 1 << 20  # bytes of one line
BLOCK = 1 << 15
PROGRESS = "progress: "  # begins a line that is shown and not kept, as it may be said for days


class TooMuch(OSError):
    """A host said more than it may; its text is a sentence that begins with "it"."""


class Lines:
    """
    Blocks of bytes as lines of text. What it holds and what it gives is limited.

    + uncounted: how lines begin that whoever reads does not keep; None: every line counts
    """

    def __init__(
        self,
        most: int = MOST_BYTES,
        lines: int = MOST_LINES,
        longest: int = LONGEST,
        uncounted: bytes | None = None,
    ) -> None:
        self._most, self._lines, self._longest, self._uncounted = most, lines, longest, uncounted
        self._bytes = self._count = 0
        self._open: list[bytes] = []
        self._length = 0

    def feed(self, block: bytes) -> Iterator[str]:
        """The lines that this block ends. Raises TooMuch."""
        self._bytes += len(block)
        if self._bytes > self._most:
            raise TooMuch(f"it sent more than {format_size(self._most)}, and was given up")
        self._count += block.count(b"\n")
        if self._count > self._lines:
            raise TooMuch(f"it sent more than {self._lines} lines, and was given up")
        *ended, rest = block.split(b"\n")
        for part in ended:
            yield self._line(part)
        self._length += len(rest)
        if self._length > self._longest:
            raise TooMuch(f"it sent a line of more than {format_size(self._longest)}, and was given up")
        self._open.append(rest)

    def rest(self) -> Iterator[str]:
        """The last line, where nothing ended it."""
        if any(self._open):
            yield self._line(b"")

    def _line(self, part: bytes) -> str:
        whole = b"".join([*self._open, part])
        self._open, self._length = [], 0
        if self._uncounted is not None and whole.startswith(self._uncounted):
            self._bytes -= len(whole) + 1
            self._count -= 1
        return whole.decode(errors="replace")


def read_output(
    stdout: Any,
    stderr: Any,
    timeout: float | None,
    print_output: bool,
    print_prefix: str,
) -> CommandOutput:
    """
    All that a command says, in pyinfra's own form; it is shown line by line meanwhile.

    + timeout: seconds for all of it

    Raises TooMuch, TimeoutError. Then nothing more is read.
    """
    kept: list[OutputLine] = []

    def take_in(name: str, receive: Callable[[int], bytes], show: Callable[[str], str]) -> Exception | None:
        try:
            for line in _received(receive):
                if not line.startswith(PROGRESS):
                    kept.append(OutputLine(name, line))
                if print_output:
                    echo(f"{print_prefix}{show(line)}", err=True)
        except Exception as error:  # it is raised where the command was run
            return error
        return None

    readers = [
        gevent.spawn(take_in, "stdout", _receiver(stdout, "recv"), str),
        gevent.spawn(take_in, "stderr", _receiver(stderr, "recv_stderr"), lambda line: format_text(line, "red")),
    ]
    try:
        for ended in gevent.iwait(readers, timeout=timeout):
            if ended.value is not None:
                raise ended.value
        if not all(reader.ready() for reader in readers):
            raise TimeoutError
    except BaseException:
        gevent.killall(readers)
        _close(stdout, stderr)
        raise
    return CommandOutput(kept)


def write_input(stdin: Any, buffer: Any) -> None:
    """
    What a command reads. One that ends before it has read all of it has failed, and what it said is still read: a
    forced command, an account without a shell.

    Raises OSError where the connection itself has ended.
    """
    try:
        write_stdin(stdin, buffer)
    except OSError:
        channel = getattr(buffer, "channel", None)
        if channel is None or not channel.closed or not channel.get_transport().is_active():
            raise
        channel.exit_status = channel.exit_status or 1


def patch_pyinfra() -> None:
    """
    Have pyinfra's connectors read and write by it from now on. Their own reading has no limit, and ends at a byte not
    of UTF-8.
    """
    pyinfra.connectors.ssh.read_output_buffers = read_output
    pyinfra.connectors.util.read_output_buffers = read_output
    setattr(pyinfra.connectors.ssh, "write_stdin", write_input)  # noqa: B010 (not exported, to the type checker)


def _received(receive: Callable[[int], bytes]) -> Iterator[str]:
    lines = Lines(uncounted=PROGRESS.encode())
    while block := receive(BLOCK):
        yield from lines.feed(block)
    yield from lines.rest()


def _receiver(buffer: Any, word: str) -> Callable[[int], bytes]:
    """Gives what is there, as soon as something is: of an SSH channel, or of a pipe."""
    channel = getattr(buffer, "channel", None)
    found: Callable[[int], bytes] = getattr(channel, word) if channel is not None else buffer.read1
    return found


def _close(*buffers: Any) -> None:
    for buffer in buffers:
        with suppress(Exception):  # it may be closed, or its connection gone
            getattr(buffer, "channel", buffer).close()
