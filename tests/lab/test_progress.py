"""What a run shows while models come: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import time

import pytest

from tests.lab import fleet
from tests.lab.lab import Lab
from tests.lab.model_pulls import limit_rate

DATA = ["--data", "openhands_flavor=off", "--data", 'models=["codellama:7b", "padded"]']
COMMAND = [str(fleet.FLEETHANDS), "apply", "inventory/lab.py", "--hosts", "lab-[12]", "--yes", *DATA]
FIGURES = re.compile(r"\d+\.\d/\d+\.\d MB +\d+(\.\d)? [kM]B/s +0:00:\d\d")


@pytest.fixture
def two(lab: Lab, quiet_state: str) -> None:
    lab.internet.clear_faults()
    for name in ("lab-1", "lab-2"):
        lab[name].restore(quiet_state)


def on_a_terminal(command: list[str], limit: float) -> tuple[int, str]:
    """Exit code, and everything that was written to a terminal of 160 columns."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(fleet.ROOT)
        size = {"COLUMNS": "160", "LINES": "40", "TERM": "xterm-256color"}
        os.execvpe(command[0], command, {**os.environ, **size})  # noqa: S606
    said, end = b"", time.monotonic() + limit
    while time.monotonic() < end:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # its last process has closed it
            break
        said += chunk
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode(errors="replace"))


def test_a_terminal_shows_bytes_rate_and_time_left_of_every_host(lab: Lab, two: None) -> None:
    with limit_rate(lab, 12_000_000):
        code, said = on_a_terminal(COMMAND, 240)

    assert code == 0, said[-3000:]
    for host in ("lab-1", "lab-2"):
        rows = [row for row in re.split(r"[\r\n]+", said) if row.strip().startswith(f"{host} ")]
        pulling = [row for row in rows if "model padded:latest" in row]
        assert [row for row in pulling if FIGURES.search(row)], rows[-20:]
    assert "2 hosts, 2 changed" in said


@pytest.mark.soak
def test_plain_lines_elsewhere_every_ten_seconds(lab: Lab, two: None) -> None:
    with limit_rate(lab, 5_000_000):
        done = subprocess.run(COMMAND, cwd=fleet.ROOT, capture_output=True, text=True, timeout=240, check=False)

    assert done.returncode == 0, done.stderr
    for host in ("lab-1", "lab-2"):
        lines = re.findall(rf"^{host}: model padded:latest: .* MiB of \d+ MiB, .*iB/s, \d+ s left$", done.stderr, re.M)
        assert 1 <= len(lines) <= 4, done.stderr
    assert "\x1b" not in done.stderr
