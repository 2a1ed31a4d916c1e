"""What a run does, while it does it: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from fleethands.operations.size import human

if TYPE_CHECKING:
    from fleethands.rollout.watch import Listener

EVERY = 10  # seconds between two plain lines of one pull


@contextmanager
def listener(hosts: list[str], *, plain: bool) -> Iterator[Listener]:
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
class _Said:
    """How far a pull was when it was last told, and when, in seconds."""

    done: int
    at: float


class Plain:
    """A line for each step, and one every ten seconds for each pull."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._said: dict[tuple[str, str], _Said] = {}

    def phase(self, text: str) -> None:
        self._say(text)

    def step(self, host: str, name: str) -> None:
        self._say(f"{host}: {name}")

    def remark(self, host: str, text: str) -> None:
        self._say(f"{host}: {text}")

    def pull(self, host: str, what: str, done: int, total: int) -> None:
        now = self._clock()
        last = self._said.setdefault((host, what), _Said(done, now))
        if (passed := now - last.at) < EVERY:
            return
        rate = max(0, done - last.done) / passed
        self._said[host, what] = _Said(done, now)
        whole = f" of {human(total)}" if total else ""
        left = f", {(total - done) / rate:.0f} s left" if rate and total else ""
        self._say(f"{host}: {what}: {human(done)}{whole}, {human(int(rate))}/s{left}")


class OfPull(ProgressColumn):
    """A column that means something only while bytes come."""

    def __init__(self, column: ProgressColumn) -> None:
        super().__init__()
        self._column = column

    def render(self, task: Task) -> Text:
        shown = self._column.render(task) if task.fields["pulls"] else Text("")
        return shown if isinstance(shown, Text) else Text(str(shown))


class Live:
    """One row a host: its step and how long it takes; bytes, rate and time left where a model comes."""

    def __init__(self, hosts: list[str], console: Console) -> None:
        columns = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._progress = Progress(
            TextColumn("{task.fields[host]}"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            *(OfPull(column) for column in columns),
            TimeElapsedColumn(),
            console=console,
            transient=True,  # the report that follows says it all
        )
        self._rows = {host: self._add(host, "waits") for host in hosts}

    @property
    def table(self) -> RenderableType:
        """What is on the screen now."""
        return self._progress.get_renderable()

    def __enter__(self) -> Live:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def phase(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False)

    def step(self, host: str, name: str) -> None:
        self._replace(host, name)

    def remark(self, host: str, text: str) -> None:
        self._progress.console.print(f"{host}: {text}", markup=False, highlight=False)

    def pull(self, host: str, what: str, done: int, total: int) -> None:
        task = self._task(host)
        if task.description != what:
            self._replace(host, what, done, pulls=True)  # what was there already does not count for the rate
        self._progress.update(self._rows[host], completed=done, total=total or None)

    def _task(self, host: str) -> Task:
        return next(task for task in self._progress.tasks if task.id == self._rows[host])

    def _replace(self, host: str, description: str, done: int = 0, *, pulls: bool = False) -> None:
        self._progress.reset(
            self._rows[host], description=description, completed=done, total=None, host=host, pulls=pulls
        )

    def _add(self, host: str, description: str) -> TaskID:
        return self._progress.add_task(description, total=None, host=host, pulls=False)
