"""Host keys of real sshds: unknown ones stop a host, `fleethands trust` takes them over, changed ones are refused."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.shell import run

FLEETHANDS = Path(sys.executable).with_name("fleethands")
LAB = "inventory/lab.py"


@pytest.fixture
def known_hosts(tmp_path: Path) -> Path:
    """A known_hosts file that does not exist yet."""
    return tmp_path / "ssh" / "known_hosts"


def fleethands(
    *words: str, known_hosts: Path, cwd: Path = fleet.ROOT, typed: str | None = None
) -> subprocess.CompletedProcess[str]:
    """
    The command line on the lab's inventory, with its own known_hosts.

    + typed: what a person types at a terminal; None: no terminal
    """
    with_keys = [*words, "--data", f"ssh_known_hosts_file={known_hosts}"]
    ours, theirs = pty.openpty()
    os.write(ours, (typed or "").encode())
    try:
        return subprocess.run(
            [FLEETHANDS, *with_keys],
            cwd=cwd,
            stdin=subprocess.DEVNULL if typed is None else theirs,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def fingerprint(host: Host) -> str:
    """The key, as ssh-keygen on the host itself shows it."""
    words = host.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").stdout.split()
    return f"{words[0]} {words[1]} {words[-1]}"


def test_an_unknown_host_is_left_alone_until_a_person_has_said_yes(clean: Host, known_hosts: Path) -> None:
    one = (LAB, "--hosts", "lab-1")
    before = fleethands("plan", *one, known_hosts=known_hosts)
    assert before.returncode == 1
    assert "lab-1  unreachable" in before.stdout
    assert not known_hosts.exists()

    refused = fleethands("trust", *one, known_hosts=known_hosts, typed="n\n")
    assert refused.returncode == 1
    assert "error: not confirmed, nothing was written" in refused.stderr
    assert not known_hosts.exists()

    trusted = fleethands("trust", *one, known_hosts=known_hosts, typed="y\n")
    assert trusted.returncode == 0, trusted.stderr
    assert f"lab-1  new          {fingerprint(clean)}" in trusted.stdout
    assert f"1 key written to {known_hosts}" in trusted.stdout

    after = fleethands("plan", *one, known_hosts=known_hosts)
    assert after.returncode == 2, after.stdout + after.stderr
    ssh = ("ssh", "-o", f"UserKnownHostsFile={known_hosts}", "-o", "GlobalKnownHostsFile=/dev/null")
    key = fleet.ROOT / os.environ["FLEETHANDS_LAB"] / "id_ed25519"
    strict = (
        *ssh,
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "BatchMode=yes",
        "-i",
        key,
        f"root@{clean.address}",
        "true",
    )
    assert run(*strict).returncode == 0  # OpenSSH reads it as we do


def test_a_changed_key_is_refused_until_a_person_removes_the_old_one(
    clean: Host, known_hosts: Path, tmp_path: Path
) -> None:
    one = (LAB, "--hosts", "lab-1")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", tmp_path / "other")
    known_hosts.parent.mkdir()
    known_hosts.write_text(f"{clean.address} {(tmp_path / 'other.pub').read_text()}")
    before = known_hosts.read_text()

    assert fleethands("plan", *one, known_hosts=known_hosts).returncode == 1
    done = fleethands("trust", *one, "--yes", known_hosts=known_hosts)

    assert done.returncode == 1
    assert "error: lab-1: its key changed: known is 256 SHA256:" in done.stderr
    assert f"shown is {fingerprint(clean)}" in done.stderr
    remove = f"ssh-keygen -R {clean.address} -f {known_hosts}"
    assert f"`{remove}`, then `fleethands trust {LAB} --hosts lab-1" in done.stderr
    assert known_hosts.read_text() == before

    run(*remove.split())

    assert fleethands("trust", *one, "--yes", known_hosts=known_hosts).returncode == 0
    assert fleethands("plan", *one, known_hosts=known_hosts).returncode == 2


def test_a_host_that_does_not_answer_does_not_keep_the_others(lab: Lab, clean: Host, known_hosts: Path) -> None:
    lab["lab-3"].unplug()
    begin = time.monotonic()
    try:
        done = fleethands("trust", LAB, "--yes", known_hosts=known_hosts)
    finally:
        lab["lab-3"].plug()

    assert done.returncode == 1
    assert time.monotonic() - begin < 25
    assert known_hosts.read_text().count("ssh-ed25519") == 2
    assert clean.address in known_hosts.read_text()


def test_a_project_that_was_laid_down_plans_what_the_checkout_plans(
    clean: Host, known_hosts: Path, tmp_path: Path
) -> None:
    here = tmp_path / "boxes"
    run(FLEETHANDS, "init", here)
    key = fleet.ROOT / os.environ["FLEETHANDS_LAB"] / "id_ed25519"
    inventory = here / "inventory/hosts.py"
    text = inventory.read_text().replace('["gpu-1.example.net"]', f'["{clean.address}"]')
    text = text.replace('"ssh_user"', f'"ssh_key": "{key}",\n        "ollama_version": "0.24.0",\n        "ssh_user"')
    inventory.write_text(text)

    assert fleethands("trust", "--yes", known_hosts=known_hosts, cwd=here).returncode == 0
    done = fleethands("plan", known_hosts=known_hosts, cwd=here)
    keys = f"ssh_known_hosts_file={known_hosts}"
    stock = run(fleet.PYINFRA, "inventory/hosts.py", "--data", keys, "deploy.py", "--dry", cwd=here)

    assert done.returncode == 2, done.stdout + done.stderr
    for step in fleet.plan("lab-1").planned("lab-1"):
        assert step in done.stdout
        assert step in stock.stdout + stock.stderr
