"""The worker processes of the Python API, as the kernel lists them."""

from __future__ import annotations

import os
import select
from pathlib import Path


def find_workers(parent: int) -> list[int]:
    """Process ids of the workers that a process has started."""
    return [pid for pid, ppid in _list_workers() if ppid == parent]


def wait_until_ended(pid: int, seconds: float = 60) -> bool:
    """Whether a worker ends in time."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], seconds)[0])
    finally:
        os.close(process)


def _list_workers() -> list[tuple[int, int]]:
    found = []
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdecimal() and b"fleethands.api.worker" in (place / "cmdline").read_bytes():
                parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
                found.append((int(place.name), int(parent)))
        except OSError:  # it has just ended
            continue
    return [each for each in found if each[0] != os.getpid()]
