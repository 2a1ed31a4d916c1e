"""What a run does, while it does it: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.console import Console

from fleethands.cli.output.live_table import Live
from fleethands.text.format import format_size
from fleethands.text.sanitize import sanitize

if TYPE_CHECKING:
    from fleethands.engine.progress import ProgressListener

EVERY = 10  # seconds between two plain lines of one pull


@contextmanager
def listener(hosts: list[str], *, plain: bool) -> Iterator[ProgressListener]:
    """
    Who shows what happens on standard error, and clears up after itself, whatever ends the run.

    + plain: lines, even on a terminal
    """
    if plain or not sys.stderr.isatty():
        yield Plain(lambda line: click.echo(line, err=True))
        return
    with Live(hosts, Console(stderr=True)) as live:
        yield live


@dataclass
class LastProgress:
    """How far a pull was when it was last told, and when, in seconds."""

    done: int
    at: float


class Plain:
    """A line for each step, with the time since the run began, and one every ten seconds for each pull."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._begun = clock()
        self._said: dict[tuple[str, str], LastProgress] = {}

    def phase(self, text: str) -> None:
        self._say(f"{sanitize(text)} ({self._elapsed()})")

    def step(self, host: str, name: str) -> None:
        self._say(f"{host}: {name} ({self._elapsed()})")

    def done(self, host: str, ok: bool) -> None:
        self._say(f"{host}: {'done' if ok else 'failed'} ({self._elapsed()})")

    def remark(self, host: str, text: str) -> None:
        self._say(f"{host}: {sanitize(text)}")

    def pull(self, host: str, what: str, done: int, total: int) -> None:
        now = self._clock()
        last = self._said.setdefault((host, what), LastProgress(done, now))
        if (passed := now - last.at) < EVERY:
            return
        rate = max(0, done - last.done) / passed
        self._said[host, what] = LastProgress(done, now)
        whole = f" of {format_size(total)}" if total else ""
        left = f", {(total - done) / rate:.0f} s left" if rate and total else ""
        self._say(f"{host}: {what}: {format_size(done)}{whole}, {format_size(int(rate))}/s{left}")

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(self._clock() - self._begun), 60)
        return f"{minutes}:{seconds:02}"
