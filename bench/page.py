"""docs/performance.md: `make bench` writes the figures between its marks."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from .no_op import ROUNDS, NoOp, Program
from .scale import Scale
from .timing import ROOT

PAGE = ROOT / "docs" / "performance.md"
MIB = 1 << 20
BEGIN, END = "<!-- figures: make bench -->", "<!-- end of figures -->"


def write(figures: Sequence[str]) -> None:
    """Replace the figures. Raises ValueError for a page without marks."""
    head, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} lacks `{BEGIN}` or `{END}`")
    PAGE.write_text("\n".join([head + BEGIN, "", *figures, "", END]) + tail)


def figures(no_op: NoOp, scale: Sequence[Scale], help_seconds: float, load: float) -> list[str]:
    """
    The tables, in Markdown.

    + load: the machine's load average over a minute, before the measurement
    """
    count, bare = no_op.hosts, no_op.bare
    return [
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {_machine()}, the hosts on the same machine,"
        f" load average {load:.1f} before it began:",
        "",
        f"| {count} hosts, nothing to do: median of {ROUNDS} | seconds | times bare | CPU seconds | memory |",
        "| --- | --- | --- | --- | --- |",
        _row("`fleethands plan --json`", no_op.plan, bare),
        _row("`fleethands apply --yes --json`", no_op.apply, bare),
        _row("bare paramiko", bare, bare),
        _row("plain pyinfra, the guide's steps (`bench/guide_deploy.py`)", no_op.guide, bare),
        "",
        f"Without start-up and imports: a plan {no_op.plan.inside or 0:.2f} s, bare {bare.inside or 0:.2f} s,"
        f" ratio {(no_op.plan.inside or 0) / (bare.inside or 1):.2f}.",
        "",
        "| where a plan's time goes | seconds |",
        "| --- | --- |",
        *(f"| {stage} | {seconds:.2f} |" for stage, seconds in no_op.stages.items()),
        "",
        "| start-up: median of 10 | seconds |",
        "| --- | --- |",
        f"| `fleethands --help` | {help_seconds:.2f} |",
        "",
        f"Commands sent to each of the {count} hosts by a plan and by an apply, by sshd's own log: "
        + ("1." if not no_op.wrong else "see the run."),
        "",
        *_scale(scale),
    ]


def _row(what: str, program: Program, bare: Program) -> str:
    ratio = program.seconds / bare.seconds
    return f"| {what} | {program.seconds:.2f} | {ratio:.2f} | {program.cpu:.2f} | {program.memory / MIB:.0f} MiB |"


def _scale(rows: Sequence[Scale]) -> list[str]:
    return [
        "| a plan over stand-ins | seconds | CPU a host | memory | memory a further host | most connections at once"
        " | most descriptors | connections and commands a host |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_scale_row(row, rows[0]) for row in rows),
    ]


def _scale_row(row: Scale, first: Scale) -> str:
    more = row.hosts - first.hosts
    each = f"{(row.memory - first.memory) / more / 1024:.0f} KiB" if more else "-"
    return (
        f"| {row.hosts} | {row.seconds:.1f} | {row.cpu / row.hosts * 1000:.0f} ms | {row.memory / MIB:.0f} MiB | {each}"
        f" | {row.most} | {row.descriptors} | {row.connections:g}, {row.commands:g} |"
    )


def _machine() -> str:
    kib = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{os.cpu_count()} cores, {round(kib / 1024 / 1024)} GiB"
