"""What goes wrong on the way: the host keeps what it had, the reason is named, the next run completes."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.internet.faults import Fault
from tests.lab.lab import Lab
from tests.lab.many import QUIET

ARCHIVE = "ollama-linux-amd64.tar.zst"


@pytest.mark.soak
def test_another_release_takes_over_and_back(converged: Host) -> None:
    for version in ("0.24.1", "0.24.0"):
        run = fleet.apply("lab-1", ollama_version=version)

        assert run.code == 0, run.said
        assert converged.run("curl -fsS localhost:11434/api/version").stdout == f'{{"version":"{version}"}}'
        assert observe.proven(converged)
        assert fleet.apply("lab-1", ollama_version=version).changed("lab-1") == []

    converged.run("touch /opt/ollama/0.24.0/bin/ollama")

    assert fleet.apply("lab-1").changed("lab-1")[0] == "Ollama | Install the pinned release"
    assert converged.run("ls /opt/ollama").stdout.split() == ["0.24.0", "0.24.1", "current"]


@pytest.mark.parametrize("fault", [Fault(status=404), Fault(status=500), Fault(cut=0.5)], ids=["404", "500", "cut"])
def test_a_broken_mirror_is_named_and_leaves_a_clean_host_clean(lab: Lab, clean: Host, fault: Fault) -> None:
    with lab.internet.fault(fault, "archive:0.24.0"):
        run = fleet.apply("lab-1")

    assert run.code == 1
    assert f"v0.24.0/{ARCHIVE}" in run.said
    assert clean.run("ls -A /opt/ollama", check=False).stdout == ""


def test_a_missing_model_is_named(serving: Host) -> None:
    run = fleet.apply("lab-1", models=["codellama:7b", "no-such-model:1b"], **QUIET)

    assert run.code == 1
    assert "error: the registry has no model no-such-model:1b" in run.said


@pytest.mark.soak  # test_hard_hosts.py has a sample
def test_one_unreachable_host_of_three_does_not_stop_the_others(lab: Lab, converged_state: str) -> None:
    lab.internet.clear_faults()
    for name in ("lab-1", "lab-2"):
        lab[name].restore(converged_state)
        lab[name].run("systemctl stop ollama")
    lab["lab-3"].unplug()
    try:
        run = fleet.apply("lab-1", "lab-2", "lab-3")
    finally:
        lab["lab-3"].plug()

    assert run.code == 1
    assert "lab-3" in run.said
    assert all(observe.proven(lab[name]) for name in ("lab-1", "lab-2")), run.said


def test_port_11434_of_somebody_else_is_refused_by_name(clean: Host) -> None:
    clean.run("systemd-run --quiet --unit squatter /usr/sbin/sshd -D -p 11434")
    clean.run("until ss -Hltn 'sport = :11434' | grep -q .; do sleep 0.02; done", timeout=10)

    run = fleet.apply("lab-1")

    assert run.code == 1
    assert "error: port 11434 is held by `sshd`" in run.said
    assert clean.run("ls /opt/ollama", check=False).returncode != 0


def test_a_user_without_sudo_is_told_so_and_never_asked(clean: Host) -> None:
    run = fleet.apply("lab-1", timeout=30, ssh_user="plain")

    assert run.code == 1
    assert "error: plain is not root and has no passwordless sudo" in run.said
    assert "hint: on the host, as root: l='plain ALL=(ALL) NOPASSWD: ALL';" in run.said


def test_a_full_disk_is_named_and_the_next_run_completes(serving: Host) -> None:
    wanted: dict[str, Any] = {"models": ["codellama:7b", "padded"], **QUIET}
    serving.run("systemctl stop ollama")
    with serving.out_of_disk("/usr/share/ollama/.ollama/models/blobs", "60m"):
        run = fleet.apply("lab-1", **wanted)
        serving.run("systemctl stop ollama")

    assert run.code == 1
    assert "error: model padded:latest needs 371 MiB, /usr/share/ollama/.ollama/models/blobs has " in run.said
    assert fleet.apply("lab-1", **wanted).code == 0
    assert observe.proven(serving, observe.OLLAMA_LINKS)


MOMENTS = {
    "while the archive is fetched": "test -d /opt/ollama/.incoming",
    "after the override is written": "test -f /etc/systemd/system/ollama.service.d/50-fleethands.conf",
    "while the model is pulled": "ls /run/fleethands/fleethands-pull-*",
    "while the image is pulled": "pgrep -f 'docker pul[l] '",
    "before the container is ready": "docker container inspect openhands-app",
}


SAMPLE = ("before the container is ready",)


@pytest.mark.parametrize(
    "moment",
    [pytest.param(test, id=name, marks=[] if name in SAMPLE else [pytest.mark.soak]) for name, test in MOMENTS.items()],
)
def test_a_killed_controller_leaves_nothing_that_the_next_run_does_not_heal(clean: Host, moment: str) -> None:
    process = fleet.start("lab-1")
    try:
        clean.run(f"until {moment} >/dev/null 2>&1; do sleep 0.02; done", timeout=180)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    run = fleet.apply("lab-1")

    assert run.code == 0, run.said
    assert observe.proven(clean)
    assert observe.leftovers(clean) == []
    assert fleet.apply("lab-1").changed("lab-1") == []
