"""known_hosts files: OpenSSH, `fleethands trust` and the connections of runs read the same in them."""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paramiko import AuthenticationException, PKey, SSHException

from fleethands.ssh import diagnosis, host_key_check, host_keys
from fleethands.ssh.client import SshClient
from fleethands.ssh.known_hosts import KnownHosts
from tests.helpers.sshd import fingerprint, key, public, trust

HOST = "gpu.example.net"
BOX = SimpleNamespace(name="box", data={})
NAMES = (HOST, f"[{HOST}]:2222", "10.0.0.7", "other.example.net", "example.net", "[::1]:22")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Keys of another host."""
    place = tmp_path_factory.mktemp("theirs")
    return {kind: key(place, kind) for kind in ("ed25519", "ecdsa", "rsa")}


def by_openssh(path: Path, name: str) -> set[tuple[int, str]]:
    """Number and marker of each line about a host, as ssh-keygen finds them."""
    said = subprocess.run(["ssh-keygen", "-F", name, "-f", path], capture_output=True, text=True, check=False).stdout
    found = [line for line in said.splitlines() if line.startswith("# Host ")]
    markers = {"CA": "@cert-authority", "REVOKED": "@revoked"}
    words = [line.removeprefix(f"# Host {name} found: line ").split() for line in found]
    return {(int(each[0]), markers[each[1]] if len(each) > 1 else "") for each in words}


def by_us(path: Path, name: str) -> set[tuple[int, str]]:
    return {(line.number, line.marker) for line in KnownHosts.load([path])._lines if line.is_of(name)}


@pytest.mark.parametrize(
    "names",
    [
        HOST,
        HOST.upper(),
        f"a,b,{HOST}",
        "*",
        "*.example.net",
        "gpu.example.ne?",
        "*.example.net,!gpu.example.net",
        "!gpu.example.net,*.example.net",
        "!other.*,*",
        "[gpu.example.net]:2222",
        "[*.example.net]:2222",
        "[gpu.example.net]:*",
        "[::1]:22,10.0.0.?",
        "gpu.example.net.",
        "[g]pu.example.net",
        "gpu.example.net,",
        "|1|broken|hash",
    ],
)
@pytest.mark.parametrize("marker", ["", "@revoked ", "@cert-authority ", "  ", "\t", "@unheard-of ", "#"])
def test_names_are_matched_as_openssh_matches_them(
    names: str, marker: str, tmp_path: Path, theirs: dict[str, Path]
) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"# mine\n\nbroken\n{marker}{names}  {public(theirs['rsa'])} a comment\r\n")

    for name in NAMES:
        assert by_us(path, name) == by_openssh(path, name), name


def test_hashed_names_are_matched(tmp_path: Path, theirs: dict[str, Path]) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("".join(f"{name} {public(theirs['ed25519'])}\n" for name in NAMES))
    subprocess.run(["ssh-keygen", "-H", "-f", path], check=True, capture_output=True)

    for name in NAMES:
        assert by_us(path, name) == by_openssh(path, name) != set()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_file_can_not_be_read(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)

    assert KnownHosts.load([path, path.with_name("none")]).known("host") == []


def run_says(port: int, known_hosts: Path) -> str:
    """A run's result for the host key of the server on loopback. Its password is wrong, so no login succeeds."""
    host_key_check._files.cache_clear()
    try:
        SshClient().connect(
            "127.0.0.1", _pyinfra_ssh_known_hosts_file=str(known_hosts), _pyinfra_ssh_strict_host_key_checking="yes",
            port=port, username="nobody", pkey=None, allow_agent=False, look_for_keys=False, password="x", timeout=20,  # noqa: S106
        )  # fmt: skip
    except AuthenticationException:
        return "known"
    except host_key_check.HostKeyRefused as error:
        return error.verdict.status
    except SSHException as error:
        return str(error)
    raise AssertionError("it let us in")


def lines(ours: str, other: str, port: int) -> dict[str, tuple[str, str]]:
    """Case → content of a file, and what both have to say."""
    name = f"[127.0.0.1]:{port}"
    return {
        "known": (f"{name} {ours}\n", "known"),
        "known, behind a line that no rule reads": (f"x y z\n@cert-authority * {other}\n{name} {ours}\n", "known"),
        "by a pattern": (f"[127.0.*]:{port} {ours}\n", "known"),
        "by the second of two keys": (f"{name} {other}\n{name} {ours}\n", "known"),
        "by another name": (f"elsewhere {ours}\n", "new"),
        "by its name without a port": (f"127.0.0.1 {ours}\n", "known"),
        "by its name without a port, and another": (f"127.0.0.1 {other}\n", "new"),
        "excepted": (f"*,!{name},!127.0.0.1 {ours}\n", "new"),
        "another": (f"{name} {other}\n", "changed"),
        "revoked": (f"@revoked * {ours}\n", "revoked"),
        "known and revoked": (f"{name} {ours}\n@revoked {name} {ours}\n", "revoked"),
        "another one is revoked": (f"{name} {ours}\n@revoked * {other}\n", "known"),
        "revoked elsewhere": (f"@revoked elsewhere {ours}\n", "new"),
        "an authority": (f"@cert-authority * {other}\n", "new"),
        "its own key as an authority": (f"@cert-authority * {ours}\n", "new"),
    }


@pytest.mark.parametrize("case", lines("", "", 0))
def test_trust_and_a_run_say_the_same(
    case: str, tmp_path: Path, port: int, keys: dict[str, Path], theirs: dict[str, Path]
) -> None:
    content, status = lines(public(keys["ed25519"]), public(theirs["ed25519"]), port)[case]
    path = tmp_path / "known_hosts"
    path.write_text(content)

    shown = host_keys._compare_key(
        BOX, host_keys.HostKeyLocation("127.0.0.1", port, (path,), path), KnownHosts.load([path])
    )

    assert (shown.status, run_says(port, path)) == (status, status), shown.reason


def test_a_host_known_by_its_rsa_key_is_known_to_a_run(tmp_path: Path, port: int, keys: dict[str, Path]) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"[127.0.0.1]:{port} {public(keys['rsa'])}\n")

    assert run_says(port, path) == "known"


def test_a_revoked_key_is_refused_and_added_to_nothing(
    tmp_path: Path, port: int, keys: dict[str, Path], known_hosts: Path
) -> None:
    known_hosts.parent.mkdir()
    known_hosts.write_text(f"@revoked * {public(keys['ed25519'])}\n")
    before = known_hosts.read_text()

    done = trust(tmp_path, port, "--yes")

    assert done.returncode == 1
    assert f"box     revoked      {fingerprint(keys['ed25519'])}" in done.stdout
    assert f"error: box: its host key is revoked: line 1 of {known_hosts}\n" in done.stderr
    assert "hint: on the host, create new keys: rm /etc/ssh/ssh_host_*; ssh-keygen -A" in done.stderr
    assert known_hosts.read_text() == before


def test_an_authority_is_named_and_the_key_itself_can_be_accepted(
    tmp_path: Path, port: int, keys: dict[str, Path], theirs: dict[str, Path], known_hosts: Path
) -> None:
    known_hosts.parent.mkdir()
    known_hosts.write_text(f"@cert-authority * {public(theirs['ed25519'])}\n")

    done = trust(tmp_path, port, "--yes")

    assert done.returncode == 0, done.stderr
    assert f"note: box: it shows no certificate of the authority (line 1 of {known_hosts})" in done.stdout
    assert known_hosts.read_text().endswith(f"\n[127.0.0.1]:{port} {public(keys['ed25519'])}\n")
    assert run_says(port, known_hosts) == "known"


def test_every_file_of_ssh_config_is_read_and_the_first_is_written(
    tmp_path: Path, port: int, keys: dict[str, Path]
) -> None:
    (tmp_path / "second").write_text(f"[127.0.0.1]:{port} {public(keys['ed25519'])}\n")
    config = tmp_path / "config"
    config.write_text(f"Host box\n  HostName 127.0.0.1\n  UserKnownHostsFile {tmp_path}/first {tmp_path}/second\n")
    data: dict[str, Any] = {"ssh_hostname": "", "ssh_known_hosts_file": "", "ssh_config_file": str(config)}

    assert "box     known" in trust(tmp_path, port, "--yes", **data).stdout
    (tmp_path / "second").unlink()
    assert trust(tmp_path, port, "--yes", **data).returncode == 0

    assert (tmp_path / "first").read_text() == f"[127.0.0.1]:{port} {public(keys['ed25519'])}\n"


def test_words_of_a_server_do_nothing_to_a_terminal(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client = server.accept()[0]
            client.sendall(b"SSH-1.\x1b[2J\x07" + b"x" * 5000 + b"\r\n")
            client.recv(100)

        threading.Thread(target=answer, daemon=True).start()
        done = trust(tmp_path, server.getsockname()[1], "--yes")

    assert done.returncode == 1
    assert not any(mark in done.stdout + done.stderr for mark in ("\x1b", "\x07"))
    assert max(map(len, (done.stdout + done.stderr).splitlines())) < 500


def test_keys_are_parsed(theirs: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("".join(f"{HOST} {public(each)}\n" for each in theirs.values()))

    found = KnownHosts.load([path]).known(HOST)

    assert [host_keys.line_fingerprint(line) for line in found] == [fingerprint(each) for each in theirs.values()]
    assert all(isinstance(PKey.from_type_string(line.kind, line.key), PKey) for line in found)


@pytest.mark.parametrize(
    ("names", "command"),
    [(HOST, f"ssh-keygen -R {HOST} -f "), ("*.example.net", "sed -i 1d "), ("a,!b,gpu*", "sed -i 1d ")],
)
def test_the_hint_for_a_changed_key_removes_its_line(
    names: str, command: str, tmp_path: Path, theirs: dict[str, Path]
) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"{names} {public(theirs['ed25519'])}\nelsewhere {public(theirs['rsa'])}\n")
    verdict = KnownHosts.load([path]).judge(HOST, PKey.from_path(theirs["ecdsa"]))

    _, (hint,) = diagnosis.explain_refused_key("`fleethands trust fleet.py`", HOST, verdict)
    removal = hint.partition("`")[2].partition("`")[0]
    subprocess.run(removal, shell=True, check=True, capture_output=True)  # noqa: S602  as a person types it

    assert removal.startswith(command)
    assert path.read_text() == f"elsewhere {public(theirs['rsa'])}\n"
