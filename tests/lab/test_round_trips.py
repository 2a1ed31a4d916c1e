"""How many commands and how much time a first apply, a changed variable and an apply with nothing to do need."""

from __future__ import annotations

import json
import runpy
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.relay import DelayRelay
from tests.lab import fleet, sessions
from tests.lab.host import Host
from tests.lab.many import QUIET
from tests.lab.shell import run

CHANGED = ("--data", 'ollama_keep_alive="7m"')

MOST = 120  # seconds; other tests share the cores


@dataclass(frozen=True)
class Applied:
    """
    One apply.

    + sent: commands by sshd's log, over all connections; report: of its host
    """

    seconds: float
    sent: int
    report: dict[str, Any]


@contextmanager
def far_away(host: Host, place: Path, round_trip: float) -> Iterator[Path]:
    """The inventory of one host behind a relay that makes it far away."""
    data = dict(runpy.run_path(str(fleet.ROOT / "inventory/lab.py"))["lab"])[host.name]
    with DelayRelay((host.address, 22), round_trip).open() as port:
        lines = Path(data["ssh_known_hosts_file"]).read_text().splitlines()
        keys = [line.partition(" ")[2] for line in lines if host.address in line.split(" ")[0].split(",")]
        (place / "known_hosts").write_text("".join(f"[127.0.0.1]:{port} {key}\n" for key in keys))
        near = {"ssh_hostname": "127.0.0.1", "ssh_port": port, "ssh_known_hosts_file": str(place / "known_hosts")}
        (place / "far.py").write_text(f"far = [({host.name!r}, { ({**data, **QUIET, **near})!r})]\n")
        yield place / "far.py"


def applied(host: Host, inventory: Path, *words: str) -> Applied:
    """`fleethands apply INVENTORY --yes WORDS`. It has to succeed."""
    mark, begun = sessions.mark(host), time.monotonic()
    done = run(
        str(fleet.FLEETHANDS), "apply", str(inventory), "--yes", "--json", *words,
        cwd=fleet.ROOT, timeout=300, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - begun
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)["hosts"][host.name]
    sent = sum(sessions.since(host, mark).values())
    sys.stderr.write(f"{' '.join(words) or 'as declared'}: {seconds:.2f} s, {sent} commands, ")
    sys.stderr.write(f"{report['status']}, {len(report['changes'])} changes\n")
    sys.stderr.writelines(f"    {step['seconds']:6.2f} s  {step['name']}\n" for step in report["steps"])
    assert report["remote_commands"] == sent
    return Applied(seconds, sent, report)


def three_applies(host: Host, place: Path, round_trip: float) -> list[Applied]:
    """A first apply, one changed variable, nothing to do."""
    sessions.write_down(host)
    with far_away(host, place, round_trip) as inventory:
        return [applied(host, inventory), applied(host, inventory, *CHANGED), applied(host, inventory, *CHANGED)]


@pytest.mark.parametrize(
    "round_trip", [0.1, pytest.param(0.0, marks=pytest.mark.soak), pytest.param(0.37, marks=pytest.mark.soak)]
)
def test_an_apply_needs_few_commands_and_little_time(clean: Host, tmp_path: Path, round_trip: float) -> None:
    first, changed, nothing = three_applies(clean, tmp_path, round_trip)

    assert [each.report["status"] for each in (first, changed, nothing)] == ["changed", "changed", "unchanged"]
    assert len(first.report["changes"]) >= 10, first.report["changes"]
    assert first.sent <= 5
    assert changed.sent <= 3
    assert nothing.sent == 1
    assert first.seconds < MOST + 30 * round_trip
