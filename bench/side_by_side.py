"""The guide's steps on one host at several distances: four programs, and four things to do."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import sessions
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.shell import CommandFailed, step

from .guide_programs import ANSIBLE, CASES, Case, Route
from .relay import DelayRelay
from .timing import timed

STATE = "bench-guide"
INSTALL_PYTHON = "apt-get -q update && apt-get -qy install --no-install-recommends python3 python3-apt"
ROUND_TRIPS = (0.0, 0.1, 0.37)  # seconds

PROMISED = {  # seconds of fleethands, at most
    ("first apply", 0.0): 6.5,
    ("first apply", 0.1): 9.0,
    ("first apply", 0.37): 14.0,
    ("one changed variable", 0.37): 6.5,
}


class WrongResult(RuntimeError):
    """A program ended without an error, and the host is not as it should be."""


@dataclass(frozen=True)
class Timing:
    """
    One run of one program.

    + round_trip, seconds: in seconds
    + sessions: that sshd started, which are remote commands and file transfers
    """

    program: str
    case: str
    round_trip: float
    seconds: float
    sessions: int


def measure(lab: Lab, round_trips: Sequence[float] = ROUND_TRIPS) -> list[Timing]:
    """Each program takes a bare host through all cases, once for each round trip. Raises WrongResult, CommandFailed."""
    if not ANSIBLE.exists():
        raise WrongResult(f"{ANSIBLE} is missing: `make bench` installs it")
    host = lab["lab-1"]
    _install_python(host)
    found: list[Timing] = []
    for round_trip in round_trips:
        for program in ("bare paramiko", "plain pyinfra", "Ansible", "fleethands"):
            with step(f"{program} at {round_trip * 1000:.0f} ms"):
                found += _measure_program(lab, host, program, round_trip)
    return found


def _install_python(host: Host) -> None:
    """Ansible needs it on the host. All programs start from the disk that has it, and its download is not timed."""
    with step("Python on lab-1, for Ansible"):
        host.restore("clean")
        with host.outward():
            host.run(INSTALL_PYTHON, timeout=300)
        host.save(STATE)


def _measure_program(lab: Lab, host: Host, program: str, round_trip: float) -> Iterator[Timing]:
    host.restore(STATE)
    sessions.write_down(host)
    with tempfile.TemporaryDirectory() as folder, DelayRelay((host.address, 22), round_trip).open() as port:
        route = Route(host, lab.site.access, port, Path(folder))
        for case in CASES:
            route.write(case)
            mark = sessions.mark(host)
            done = timed(route.commands()[program])
            counted = sum(sessions.since(host, mark).values())
            _check(host, case, program)
            yield Timing(program, case.name, round_trip, done.seconds, counted)


def wrong(timings: Sequence[Timing]) -> list[str]:
    """What took fleethands longer than is promised."""
    return [
        f"{each.case} at {each.round_trip * 1000:.0f} ms: {each.seconds:.1f} s, expected at most {most:g}"
        for each in timings
        if each.program == "fleethands" and each.seconds > (most := PROMISED.get((each.case, each.round_trip), 1e9))
    ]


def _check(host: Host, case: Case, program: str) -> None:
    """Whether the host has what the case declares, whatever the program says."""
    listed = host.run("ollama list").stdout
    process = "tr '\\0' '\\n' < /proc/$(systemctl show --value -p MainPID ollama)/environ"
    variables = host.run(process).stdout.splitlines()
    missing = [model for model in case.models if model not in listed]
    missing += [f"{name}={each}" for name, each in case.variables.items() if f"{name}={each}" not in variables]
    if missing:
        raise WrongResult(f"{program}, {case.name}: {host.name} lacks {', '.join(missing)}")


def main() -> None:
    """Alone, while the lab is up: `python -m bench.side_by_side [SECONDS…]`. lab-1 starts from nothing each time."""
    for timing in measure(Lab.here(), [float(word) for word in sys.argv[1:]] or ROUND_TRIPS):
        print(timing, flush=True)


if __name__ == "__main__":
    try:
        main()
    except (CommandFailed, WrongResult) as failure:
        sys.exit(f"error: {failure}")
