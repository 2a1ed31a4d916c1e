"""The machine itself, by `@local`: a Debian that has no Docker yet."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.bundles import NO_CLOUD, count_packets, create, cut_off
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET
from tests.lab.shell import run

HERE = "/srv/fleethands"
DATA = (
    """--data 'models=["codellama:7b"]' --data ollama_version=0.24.0"""
    " --data openhands_image=ghcr.io/all-hands-ai/openhands:main"
)
APPLY = f"cd {HERE} && .venv/bin/fleethands apply @local {DATA} --yes 2>&1"
DISK = "/mnt/disk/fleet.bundle"
CLOSED: dict[str, Any] = {"ollama_version": "0.24.0", "models": ["codellama:7b"], **QUIET}
PYINFRA = f"cd {HERE} && PYINFRA_PROGRESS=off .venv/bin/pyinfra @local {DATA} deploy.py -y 2>&1"


@pytest.fixture
def machine(lab: Lab, tmp_path: Path) -> Iterator[Host]:
    """A host without Docker, with this checkout installed on it."""
    lab.internet.clear_faults()
    lab.up({"lab-4": "trixie-nodocker"})
    host = lab["lab-4"]
    with host.outward():
        host.run("apt-get -q update && apt-get -q -y install --no-install-recommends python3-venv", timeout=180)
        run("git", "archive", "--output", tmp_path / "checkout.tar", "HEAD", cwd=fleet.ROOT)
        host.run(f"mkdir {HERE} && tar -x -C {HERE}", stdin=(tmp_path / "checkout.tar").read_bytes())
        host.run(f"cd {HERE} && python3 -m venv .venv && .venv/bin/pip -q install .", timeout=240)
    yield host
    lab.trim(3)


@pytest.mark.soak
def test_a_machine_without_docker_brings_itself_to_a_proven_answer(machine: Host) -> None:
    assert machine.run("command -v docker", check=False).returncode != 0

    with machine.outward():  # the packages of the world are in reach
        first = machine.run(APPLY, timeout=420).stdout

    assert observe.proven(machine), first
    before = observe.identity(machine)

    second = machine.run(PYINFRA, timeout=60).stdout

    assert "Success" not in second.partition("--> Results:")[0]
    assert observe.identity(machine) == before


@pytest.mark.soak
def test_a_machine_without_a_way_out_takes_all_from_a_disk(machine: Host, lab: Lab, tmp_path: Path) -> None:
    project, path = create(lab, tmp_path, "trixie", CLOSED)
    machine.run(f"mkdir -p /mnt/disk && cat > {DISK}", stdin=path.read_bytes(), timeout=120)
    machine.run(f"cat > {HERE}/fleethands.lock", stdin=project.lockfile.read_bytes())
    words = f"@local {shlex.join(fleet.with_data(**CLOSED, **NO_CLOUD))} --bundle {DISK} --json"

    with cut_off(machine) as table:
        first = machine.run(f"cd {HERE} && .venv/bin/fleethands apply {words} --yes", timeout=420).stdout
        second = machine.run(f"cd {HERE} && .venv/bin/fleethands plan {words}", timeout=60).stdout
        assert count_packets(table) == 0

    assert json.loads(first)["hosts"]["@local"]["status"] == "changed", first
    assert json.loads(second)["hosts"]["@local"]["changes"] == []
    assert machine.run("ls /var/lib/fleethands/artifacts 2>/dev/null", check=False).stdout == ""
