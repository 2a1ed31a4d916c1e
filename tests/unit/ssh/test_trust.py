"""Host keys of real SSH servers on loopback: shown, compared, written after a yes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.helpers.sshd import fingerprint, key, public, trust


def test_a_new_key_is_shown_as_ssh_keygen_shows_it_and_written(
    tmp_path: Path, port: int, keys: dict[str, Path], known_hosts: Path
) -> None:
    done = trust(tmp_path, port, "--yes")

    assert done.returncode == 0, done.stderr
    assert f"box     new          {fingerprint(keys['ed25519'])}" in done.stdout
    assert "@local  skipped      not reached by SSH" in done.stdout
    assert f"1 key written to {known_hosts}" in done.stdout
    assert done.stdout.endswith(f"\nRun: fleethands plan {tmp_path}/fleet.py\n")
    assert known_hosts.read_text() == f"[127.0.0.1]:{port} {public(keys['ed25519'])}\n"
    assert (known_hosts.stat().st_mode & 0o777, known_hosts.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(known_hosts.parent.iterdir()) == [known_hosts]

    again = trust(tmp_path, port, "--yes")

    assert again.returncode == 0
    assert f"box     known        {fingerprint(keys['ed25519'])}" in again.stdout
    assert "written" not in again.stdout


def test_without_anybody_to_compare_nothing_is_fetched_or_written(tmp_path: Path, port: int, known_hosts: Path) -> None:
    for words in ([], ["--json"]):
        done = trust(tmp_path, port, *words)

        assert done.returncode == 64
        assert json.loads(done.stdout)["result"] == "failed" if words else done.stdout == ""
        assert done.stderr.startswith("error: cannot ask whether the keys are right\n\nhint: ")
        assert not known_hosts.exists()


def test_a_changed_key_is_an_error_and_the_old_one_stays(
    tmp_path: Path, port: int, keys: dict[str, Path], known_hosts: Path
) -> None:
    other = key(tmp_path, "ecdsa")
    known_hosts.parent.mkdir()
    known_hosts.write_text(f"# mine\n[127.0.0.1]:{port} {public(other)}\n")
    before = known_hosts.read_text()

    done = trust(tmp_path, port, "--yes")

    assert done.returncode == 1
    assert f"error: box: its key changed: known is {fingerprint(other)}, line 2 of {known_hosts}" in done.stderr
    assert f"shown is {fingerprint(keys['ed25519'])}" in done.stderr
    assert f"`ssh-keygen -R '[127.0.0.1]:{port}' -f {known_hosts}`, then `fleethands trust " in done.stderr
    assert known_hosts.read_text() == before

    subprocess.run(["ssh-keygen", "-R", f"[127.0.0.1]:{port}", "-f", known_hosts], check=True, capture_output=True)

    assert trust(tmp_path, port, "--yes").returncode == 0
    assert known_hosts.read_text() == f"# mine\n[127.0.0.1]:{port} {public(keys['ed25519'])}\n"


def test_a_host_known_by_another_of_its_keys_or_by_a_hashed_name_is_known(
    tmp_path: Path, port: int, keys: dict[str, Path], known_hosts: Path
) -> None:
    known_hosts.parent.mkdir()
    known_hosts.write_text(f"[127.0.0.1]:{port} {public(keys['rsa'])}")
    subprocess.run(["ssh-keygen", "-H", "-f", known_hosts], check=True, capture_output=True)
    assert "127.0.0.1" not in known_hosts.read_text()

    done = trust(tmp_path, port, "--yes")

    assert f"box     known        {fingerprint(keys['rsa'])}" in done.stdout


def test_a_new_line_is_appended_to_a_file_that_ends_without_one(
    tmp_path: Path, port: int, keys: dict[str, Path], known_hosts: Path
) -> None:
    known_hosts.parent.mkdir()
    known_hosts.write_text("not a line of known_hosts\nelsewhere " + public(keys["rsa"]))

    trust(tmp_path, port, "--yes")

    assert known_hosts.read_text().splitlines()[1:] == [
        f"elsewhere {public(keys['rsa'])}",
        f"[127.0.0.1]:{port} {public(keys['ed25519'])}",
    ]


def test_the_document_has_every_host(tmp_path: Path, port: int, keys: dict[str, Path], known_hosts: Path) -> None:
    done = trust(tmp_path, port, "--yes", "--json")

    document = json.loads(done.stdout)
    assert (document["schema"], document["command"], document["result"]) == (1, "trust", "changed")
    assert document["hosts"]["@local"]["status"] == "skipped"
    assert document["hosts"]["box"] == {
        "status": "written",
        "reason": "",
        "hints": [],
        "name": f"[127.0.0.1]:{port}",
        "known_hosts": str(known_hosts),
        "fingerprint": fingerprint(keys["ed25519"]),
    }


def test_a_host_that_does_not_answer_is_named(tmp_path: Path, known_hosts: Path) -> None:
    done = trust(tmp_path, 1, "--yes")

    assert done.returncode == 1
    assert "error: box: [127.0.0.1]:1: Connection refused\n\nhint: try: `ssh -v -p 1 -o UserKnown" in done.stderr
    assert "Fix the cause, then run: fleethands trust" in done.stdout
    assert not known_hosts.exists()


def test_ssh_config_says_where_a_host_is(tmp_path: Path, port: int, keys: dict[str, Path]) -> None:
    config = tmp_path / "config"
    config.write_text(f"Host box\n  HostName 127.0.0.1\n  Port {port}\n  UserKnownHostsFile {tmp_path}/mine\n")
    data: dict[str, Any] = {
        "ssh_hostname": "",
        "ssh_port": 0,
        "ssh_known_hosts_file": "",
        "ssh_config_file": str(config),
    }

    done = trust(tmp_path, port, "--yes", **data)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine").read_text() == f"[127.0.0.1]:{port} {public(keys['ed25519'])}\n"


def test_a_file_that_can_not_be_read_or_written_is_named(tmp_path: Path, port: int, known_hosts: Path) -> None:
    known_hosts.mkdir(parents=True)

    done = trust(tmp_path, port, "--yes")

    assert done.returncode == 1
    assert f"error: box: cannot read {known_hosts}: Is a directory\n\nhint: look at it: `ls -ld " in done.stderr
    assert "Traceback" not in done.stderr

    done = trust(tmp_path, port, "--yes", ssh_known_hosts_file="/proc/no-user/writes/here")

    assert done.returncode == 1
    assert "error: cannot write /proc/no-user/writes/here: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
