"""Hosts that let a user in and do not run the probe: refused in their own words, with the next step."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fleethands.facts.probe_failure import explain_failure
from fleethands.script import SHELL
from tests.helpers.answering import fleethands, servers
from tests.helpers.sshd import key

SENT = 'Please login as the user "debian" rather than the user "root".'
SAYS = "it does not run what it is sent, and says: "
BOX = SimpleNamespace(name="box", data={"ssh_hostname": "10.0.0.7", "ssh_port": 2222, "ssh_user": "ada"})


@pytest.mark.parametrize(
    ("said", "reason", "hint"),
    [
        ([SENT, ""], SAYS + SENT, '`"ssh_user": "debian"` in the inventory, or `--data ssh_user=debian`'),
        (
            ["WARNING: Your password has expired.", "Password change required but no TTY available."],
            SAYS + "WARNING: Your password has expired. Password change required but no TTY available.",
            "give it a new password by hand: `ssh -p 2222 ada@10.0.0.7`; or `",
        ),
        (
            ["This account is currently not available."],
            SAYS + "This account is currently not available.",
            '`"ssh_user": "NAME"` in the inventory, a user who has passwordless sudo',
        ),
        ([], "it does not run what it is sent, and says nothing", "look for yourself: `ssh -p 2222 ada@10.0.0.7`"),
        (["Welcome", "error: a", "hint: b", "hint: c"], "a", "b"),
        (["\x1b[2J\x07no\u202e", "way"], SAYS + "\ufffdno\ufffd way", '`"ssh_user": "NAME"`'),
        (["login as the user $(id) rather"], SAYS + "login as the user $(id) rather", '`"ssh_user": "NAME"`'),
    ],
)
def test_what_a_host_says_instead_is_the_reason(said: list[str], reason: str, hint: str) -> None:
    error = explain_failure(said, BOX)

    assert str(error) == reason
    assert error.hints[0].startswith(hint)


def test_much_is_cut_to_its_end() -> None:
    error = explain_failure(["motd " * 50_000, "the end"], BOX)

    assert len(str(error)) < 400
    assert str(error).endswith("motd the end")


def test_a_fleet_of_one_and_one_of_many_are_told_the_same(tmp_path: Path) -> None:
    own = key(tmp_path, "rsa")
    forced = {"out": f"{SENT}\n\n", "status": 142}
    with servers(
        tmp_path, a=forced, b={**forced, "status": 0}, c={"out": "", "err": "No shell here.\n", "status": 1}
    ) as there:
        (tmp_path / "known").write_text("".join(there.lines.values()))
        hosts: dict[str, dict[str, Any]] = {
            name: {"ssh_hostname": "127.0.0.1", "ssh_port": port, "ssh_user": "root", "ssh_key": str(own)}
            for name, port in there.ports.items()
        }
        hosts = {name: {**data, "ssh_known_hosts_file": str(tmp_path / "known")} for name, data in hosts.items()}

        one = fleethands(tmp_path, "plan", hosts={"a": hosts["a"]})
        three = fleethands(tmp_path, "plan", hosts=hosts)

    assert one.returncode == three.returncode == 1
    assert f'a  refused: {SAYS}{SENT}\n  hint: `"ssh_user": "debian"` in the inventory' in one.stdout
    assert f"a, b  refused: {SAYS}{SENT}\n" in three.stdout
    assert f"c  refused: {SAYS}No shell here.\n" in three.stdout


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(
    ("sudo", "reason", "hint"),
    [
        (
            "sudo: sorry, you must have a tty to run sudo",
            "ada is not root, and sudo refuses: sudo: sorry, you must have a tty to run sudo",
            'l=\'Defaults:ada !requiretty\'; echo "$l" | visudo -cqf - && (umask 337; echo "$l" >> '
            "/etc/sudoers.d/zz-fleethands)",
        ),
        (
            "sudo: a password is required",
            "ada is not root and has no passwordless sudo: sudo: a password is required",
            'l=\'ada ALL=(ALL) NOPASSWD: ALL\'; echo "$l" | visudo -cqf - && (umask 337; echo "$l" >> '
            "/etc/sudoers.d/zz-fleethands)",
        ),
        (
            "/etc/sudoers:2:5: syntax error\nada ALL=\nsudo: a password is required",
            "ada is not root, and sudo refuses: /etc/sudoers:2:5: syntax error ada ALL= sudo: a password is required",
            "visudo -c",
        ),
        (
            "sudo: Account or password is expired, reset your password",
            "ada is not root, and sudo refuses: sudo: Account or password is expired, reset your password",
            'chage -E -1 -M -1 -d "$(date +%F)" ada',
        ),
        ("", "ada is not root, and sudo is not installed", "apt-get install sudo"),
        (
            "sudo: effective uid is not 0, is sudo installed setuid root?",
            "ada is not root, and sudo refuses: sudo: effective uid is not 0, is sudo installed setuid root?",
            "su -s /bin/sh -c 'sudo -n true' ada",
        ),
    ],
)
def test_what_sudo_says_is_told_with_what_mends_it(
    sudo: str, reason: str, hint: str, shell: str, tmp_path: Path
) -> None:
    """sudo and the user are the surroundings here; the lab's tests have real ones."""
    for tool in ("tr", "cut", "cat", "dash", "bash"):
        if found := next((each for each in ("/usr/bin", "/bin") if os.path.exists(f"{each}/{tool}")), None):
            (tmp_path / tool).symlink_to(f"{found}/{tool}")
    if not (tmp_path / shell).exists():
        pytest.skip(f"{shell} is not installed")
    programs = {"id": '[ "$1" = -u ] && echo 1000 || echo ada'}
    if sudo:
        programs["sudo"] = f"cat >&2 <<'END'\n{sudo}\nEND\nexit 1"
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)

    done = subprocess.run(
        [tmp_path / shell, "-c", SHELL], env={"PATH": str(tmp_path)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {reason}\nhint: on the host, as root: {hint}\n"


def test_no_mark_of_csh_is_in_the_command() -> None:
    assert "!" not in SHELL
    assert "\n" not in SHELL
