"""Hosts with nothing to do: the product brings one to its settings, and all others start from its disk."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab import fleet, sessions
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.prepare import ready
from tests.lab.shell import run, step

DIRECTORY = ".lab/bench"  # next to the lab of `make lab`
STATE = "bench"
SETTLED_WITHIN = 300  # seconds; the first start of OpenHands takes a whole core for ten of them
AT_ONCE = 4
CALM = 0.5  # cores of this machine that are busy, at most, before anything is timed


class NotConverged(RuntimeError):
    """The product did not bring its first host to its state."""


def converged(lab: Lab, count: int) -> list[Host]:
    """lab-1 to lab-`count`: proven, idle, with an sshd that logs its sessions."""
    ready(lab, "lab-1")
    first = lab["lab-1"]
    with step("one host from nothing to proven, by the product"):
        first.restore("clean")
        done = fleet.apply("lab-1")
        if done.code:
            raise NotConverged(f"lab-1 is not as declared\n{done.said}")
        first.save(STATE)
    hosts = [lab[f"lab-{number}"] for number in range(1, count + 1)]
    with step(f"{count} hosts from its disk"), ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        list(pool.map(_restored, hosts))
    with step("until they are at rest"):
        _at_rest()
    return hosts


def _restored(host: Host) -> None:
    host.restore(STATE)
    host.run(
        f"end=$(($(date +%s) + {SETTLED_WITHIN}));"
        " until curl -fsS -o /dev/null localhost:11434/api/version 2>/dev/null"
        " && curl -sS -o /dev/null localhost:3000/ 2>/dev/null;"
        ' do [ "$(date +%s)" -lt "$end" ] || exit 1; sleep 0.5; done',
        timeout=SETTLED_WITHIN + 30,
    )
    sessions.write_down(host)


def _at_rest() -> None:
    """Wait until the machine is idle enough. The page states the load if other work prevents that."""
    end = time.monotonic() + 60
    while time.monotonic() < end and _busy_cores(1.0) > CALM:
        pass


def _busy_cores(seconds: float) -> float:
    before, begin = _busy_ticks(), time.monotonic()
    time.sleep(seconds)
    hertz = int(run("getconf", "CLK_TCK").stdout)
    return (_busy_ticks() - before) / hertz / (time.monotonic() - begin)


def _busy_ticks() -> int:
    """User, nice, system, irq and softirq time of all cores (proc_stat(5))."""
    user, nice, system, _idle, _iowait, irq, softirq = Path("/proc/stat").read_text().split()[1:8]
    return sum(int(part) for part in (user, nice, system, irq, softirq))
