"""A table as lines of text. What a host printed is never markup."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fleethands.text.sanitize import sanitize_line

WIDTH = 260


def render_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Line by line. Example: `render_table(["host", "size"], [["gpu-1", "4 GiB"]])`."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(sanitize_line(cell)) for cell in row))
    text = io.StringIO()
    Console(file=text, width=WIDTH, color_system=None).print(table)
    yield from (each.rstrip() for each in text.getvalue().splitlines())
