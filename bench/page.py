"""docs/performance.md: the text is written by hand, what stands between its marks by `make bench`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from .no_op import NoOp
from .timing import ROOT

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: make bench -->", "<!-- end of figures -->"


def write(figures: Sequence[str]) -> None:
    """Put new figures in the place of the old ones. Raises ValueError where the page has no marks."""
    head, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} lacks `{BEGIN}` or `{END}`")
    PAGE.write_text("\n".join([head + BEGIN, "", *figures, "", END]) + tail)


def figures(no_op: NoOp, help_seconds: float) -> list[str]:
    """The tables, in Markdown."""
    count = no_op.hosts
    return [
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {_machine()}, the hosts on the same machine:",
        "",
        f"| {count} hosts, nothing to do: median of 5 | `fleethands plan --json` | bare paramiko | ratio |",
        "| --- | --- | --- | --- |",
        _row("whole process, start-up and imports included", no_op.whole.product, no_op.whole.bare),
        _row("connect, probe and (fleethands) decide only", no_op.inside.product, no_op.inside.bare),
        "",
        "| where a plan's time goes | seconds |",
        "| --- | --- |",
        *(f"| {stage} | {seconds:.2f} |" for stage, seconds in no_op.stages.items()),
        "",
        "| start-up: median of 10 | seconds |",
        "| --- | --- |",
        f"| `fleethands --help` | {help_seconds:.2f} |",
        "",
        f"Commands sent to each of the {count} hosts by a plan, by sshd's own log: "
        + ("1." if not no_op.wrong else "see the run."),
    ]


def _row(what: str, product: float, bare: float) -> str:
    return f"| {what} | {product:.2f} s | {bare:.2f} s | {product / bare:.2f} |"


def _machine() -> str:
    kib = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{os.cpu_count()} cores, {round(kib / 1024 / 1024)} GiB"
