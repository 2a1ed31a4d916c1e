"""A program on a terminal of its own, and the terminal as a picture."""

from __future__ import annotations

import codecs
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT  # rich documents it as the start of other formats
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

HIGH = 60  # lines of the terminal
_CODE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")
_UNFINISHED = re.compile(r"(\x1b[^A-Za-z]*)?\Z")
_PARTS = re.compile(r"(\x1b\[[?0-9;]*[A-Za-z]|\r|\n)")
# the template fetches its font from a CDN; a reader's own is as good
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace", "font-family: ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
)


class Screen:
    """The lines that a terminal shows, for the codes that rich's live displays send, with colors as they came."""

    def __init__(self) -> None:
        self._lines, self._row = [""], 0

    @property
    def text(self) -> str:
        """All lines, without empty ones at the end."""
        return "\n".join(line.rstrip() for line in self._lines).rstrip("\n")

    def feed(self, data: str) -> None:
        """
        Show what a program wrote.

        >>> screen = Screen(); screen.feed("one\\ntwo\\r\\x1b[2K\\x1b[1A\\x1b[2Kthree"); screen.text
        'three'
        """
        for part in _PARTS.split(data):
            if code := _CODE.fullmatch(part):
                self._control(part, *code.groups())
            elif part == "\n":
                self._row += 1
                self._lines += [""] if self._row == len(self._lines) else []
            elif part != "\r":
                self._lines[self._row] += part

    def _control(self, part: str, numbers: str, letter: str) -> None:
        if letter == "A":
            self._row = max(0, self._row - int(numbers or 1))
        elif letter == "K":
            self._lines[self._row] = ""
        elif letter == "m":
            self._lines[self._row] += part


def frames(words: Sequence[str], directory: Path, columns: int, limit: float = 900) -> Iterator[str]:
    """
    What a terminal shows while a program runs, whenever it changes; the last one is what stays.

    + columns: of the terminal
    + limit: seconds until the program is killed. Raises RuntimeError if a program exits with anything except 0 or 2
    """
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", HIGH, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns)}
    process = subprocess.Popen(
        words, cwd=directory, stdin=there, stdout=there, stderr=there, env=environment, start_new_session=True
    )
    os.close(there)
    screen, decode, rest = Screen(), codecs.getincrementaldecoder("utf-8")("replace").decode, ""
    end = time.monotonic() + limit
    with open(here, "rb", buffering=0) as terminal:
        while data := _read(terminal):
            text = rest + decode(data)
            rest = text[_UNFINISHED.search(text).start() :]  # type: ignore[union-attr]  # it always matches
            screen.feed(text.removesuffix(rest))
            yield screen.text
            if time.monotonic() > end:
                process.kill()
    if process.wait() not in {0, 2}:
        raise RuntimeError(f"{' '.join(words)}: exit {process.returncode}\n{screen.text}")
    yield screen.text


def svg(command: str, text: str, name: str, columns: int) -> str:
    """
    A picture of a terminal.

    + command: what was typed
    + text: what the program printed, with its colors
    + name: of the picture; different pictures on one page need different ones
    """
    console = Console(record=True, width=columns, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print(Text.from_ansi(f"\x1b[1m$ {command}\x1b[0m\n{text}"))
    picture = console.export_svg(title="", theme=DIMMED_MONOKAI, code_format=_FORMAT, unique_id=name)
    return "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"


def _read(terminal: io.FileIO) -> bytes:
    try:
        return terminal.read(65536) or b""
    except OSError:  # its last program has closed it
        return b""
