"""A table of the hosts that are worked on now, never higher or wider than the terminal."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.live import Live as Screen
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
from rich.table import Column
from rich.text import Text

from fleethands.text.sanitize import sanitize

WIDE, MIDDLING = 110, 84  # columns of a terminal from which all is shown, or all but the bar
NAME, STEP = 28, 40  # columns of a host's name and of its step at most
SPARE = 3  # lines for the phase, the counts and the cursor
REFRESH = 4  # times a second


class OfPull(ProgressColumn):
    """A column that means something only while bytes come."""

    def __init__(self, column: ProgressColumn) -> None:
        super().__init__()
        self._column = column

    def render(self, task: Task) -> RenderableType:
        return self._column.render(task) if task.fields["pulls"] else Text("")


class Live:
    """
    One row for each host that is worked on: its step and how long it takes; bytes, rate and time left of a pull.

    Hosts that wait and hosts that are done are one line of counts, and so are those for which there is no room.
    """

    def __init__(self, hosts: list[str], console: Console) -> None:
        self._console = console
        self._progress = Progress(console=console, auto_refresh=False)
        self._rows: dict[str, TaskID] = {}
        self._waits, self._works = set(hosts), set[str]()
        self._done, self._failed = set[str](), set[str]()
        self._phase = ""
        self._screen = Screen(
            get_renderable=lambda: self.table,
            console=console,
            refresh_per_second=REFRESH,
            transient=True,  # the report that follows says it all
            vertical_overflow="crop",
        )

    @property
    def table(self) -> RenderableType:
        """What is on the screen now."""
        width, height = self._console.size
        self._progress.columns = _columns(width)
        names = sorted(self._works)
        room = max(1, height - SPARE)
        tasks = {task.id: task for task in self._progress.tasks}
        shown = [tasks[self._rows[name]] for name in names[:room]]
        lines = [Text(self._phase, "bold", no_wrap=True, overflow="ellipsis")] if self._phase else []
        counts = Text(self._counts(len(names) - len(shown)), no_wrap=True, overflow="ellipsis")
        return Group(*lines, self._progress.make_tasks_table(shown), counts)

    def __enter__(self) -> Live:
        self._screen.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._screen.stop()

    def phase(self, text: str) -> None:
        self._phase = sanitize(text)

    def step(self, host: str, name: str) -> None:
        self._replace(host, name)

    def remark(self, host: str, text: str) -> None:
        self._console.print(f"{host}: {sanitize(text)}", markup=False, highlight=False)

    def done(self, host: str, ok: bool) -> None:
        self._move(host, self._done if ok else self._failed)
        if not ok:
            self._console.print(f"{host}: failed", markup=False, highlight=False)

    def pull(self, host: str, what: str, done: int, total: int) -> None:
        if host not in self._rows or self._task(host).description != what:
            self._replace(host, what, done, pulls=True)  # what was there already does not count for the rate
        self._progress.update(self._rows[host], completed=done, total=total or None)

    def _task(self, host: str) -> Task:
        return next(task for task in self._progress.tasks if task.id == self._rows[host])

    def _replace(self, host: str, description: str, done: int = 0, *, pulls: bool = False) -> None:
        self._move(host, self._works)
        if host not in self._rows:
            self._rows[host] = self._progress.add_task(description, total=None, host=host, pulls=pulls)
        self._progress.reset(
            self._rows[host], description=description, completed=done, total=None, host=host, pulls=pulls
        )

    def _move(self, host: str, to: set[str]) -> None:
        for each in (self._waits, self._works, self._done, self._failed):
            each.discard(host)
        to.add(host)

    def _counts(self, hidden: int) -> str:
        parts = [
            (hidden, "more at work"),
            (len(self._waits), "to come"),
            (len(self._done), "done"),
            (len(self._failed), "failed"),
        ]
        return ", ".join(f"{number} {word}" for number, word in parts if number)


def _columns(width: int) -> tuple[ProgressColumn, ...]:
    """What a terminal of this width has room for."""

    def text(what: str, most: int) -> TextColumn:
        column = Column(no_wrap=True, overflow="ellipsis", max_width=min(most, width // 3))
        return TextColumn(what, markup=False, table_column=column)

    host, step = text("{task.fields[host]}", NAME), text("{task.description}", STEP)
    bar, figures = [BarColumn(bar_width=20)], [DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()]
    seen: list[ProgressColumn] = [*bar, *figures] if width >= WIDE else [*figures] if width >= MIDDLING else figures[:1]
    return (host, step, *(OfPull(column) for column in seen), TimeElapsedColumn())
