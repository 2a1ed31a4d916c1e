"""docs/performance.md: `make bench` writes the figures between its marks."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from .guide_programs import CASES
from .no_op import ROUNDS, NoOp, Program
from .scale import Scale
from .side_by_side import Timing
from .timing import ROOT

PAGE = ROOT / "docs" / "performance.md"
PICTURE = PAGE.with_name("performance.svg")
MIB = 1 << 20
BEGIN, END = "<!-- figures: make bench -->", "<!-- end of figures -->"


def write(figures: Sequence[str]) -> None:
    """Replace the figures. Raises ValueError for a page without marks."""
    head, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} lacks `{BEGIN}` or `{END}`")
    PAGE.write_text("\n".join([head + BEGIN, "", *figures, "", END]) + tail)


def figures(
    no_op: NoOp, scale: Sequence[Scale], compared: Sequence[Timing], help_seconds: float, load: float
) -> list[str]:
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
        "",
        *_compared(compared),
    ]


def _compared(timings: Sequence[Timing]) -> list[str]:
    """Seconds at each round trip, and the sessions of each host."""
    if not timings:
        return ["The comparison of four programs failed: see the run."]
    trips = list(dict.fromkeys(timing.round_trip for timing in timings))
    known = {(each.case, each.program, each.round_trip): each for each in timings}
    rows = []
    for case, program in dict.fromkeys((each.case, each.program) for each in timings):
        found = [known[case, program, trip] for trip in trips]
        seconds = " | ".join(f"{each.seconds:.1f}" for each in found)
        rows.append(f"| {case} | {program} | {seconds} | {found[0].sessions} |")
    columns = " | ".join(f"{trip * 1000:.0f} ms" for trip in trips)
    head = f"| one host, the guide's steps for Ollama: seconds | program | {columns} | sessions |"
    picture = f"![Seconds of the four programs as bars]({PICTURE.name})"
    return [head, "| --- | --- |" + " --- |" * (len(trips) + 1), *sorted(rows, key=_case_of), "", picture]


def _case_of(row: str) -> int:
    return next(place for place, case in enumerate(CASES) if row.startswith(f"| {case.name} |"))


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
