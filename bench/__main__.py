"""`make bench`: boots hosts, compares the product with other programs, writes docs/performance.md."""

from __future__ import annotations

import os
import sys

from filelock import Timeout

from tests.lab.host import BootFailed
from tests.lab.lab import Lab
from tests.lab.prepare import unfit
from tests.lab.sessions import NoSessionLog
from tests.lab.shell import CommandFailed, say, step

from . import hosts, no_op, page, picture, scale, side_by_side
from .timing import BIN, median, timed

HOSTS = 12
HELP_RUNS = 10
HELP_SECONDS = 0.25


def main() -> int:
    """0 if every figure keeps its promise. The page is written either way."""
    if reason := unfit():
        print(f"error: {reason}", file=sys.stderr)
        return 1
    os.environ["FLEETHANDS_LAB"] = hosts.DIRECTORY
    lab = Lab.here()
    try:
        fleet = hosts.converged(lab, HOSTS)
        load = os.getloadavg()[0]
        with step("plan and apply, the bare program and a plain deploy"):
            found = no_op.measure(fleet)
        lab.trim(1)  # the others would take a part of the cores
        with step(f"plans over {', '.join(map(str, scale.SIZES))} stand-ins"):
            scaled = scale.measure(fleet[0], no_op.declared()[fleet[0].name])
        compared, broken = _compared(lab)
    finally:
        lab.drop_state(hosts.STATE)
        lab.drop_state(side_by_side.STATE)
        lab.down()
    help_seconds = median([timed([BIN / "fleethands", "--help"]).seconds for _ in range(HELP_RUNS)])
    figures = page.figures(found, scaled, compared, help_seconds, load)
    page.write(figures)
    if compared:
        page.PICTURE.write_text(picture.render_picture(compared))
    print("\n".join(figures))
    return _verdict([*found.wrong, *scale.wrong(scaled), *broken], help_seconds)


def _compared(lab: Lab) -> tuple[list[side_by_side.Timing], list[str]]:
    """The timings of all programs, and what is wrong. The other figures are written either way."""
    try:
        timings = side_by_side.measure(lab)
        return timings, side_by_side.wrong(timings)
    except (CommandFailed, side_by_side.WrongResult) as failure:
        return [], [str(failure)]


def _verdict(wrong: list[str], help_seconds: float) -> int:
    if help_seconds >= HELP_SECONDS:
        wrong.append(f"`fleethands --help` takes {help_seconds:.2f} s, expected less than {HELP_SECONDS:g}")
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    if not wrong:
        say("all as promised")
    return int(bool(wrong))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CommandFailed, BootFailed, NoSessionLog, Timeout, hosts.NotConverged) as failure:
        sys.exit(f"error: {failure}")
