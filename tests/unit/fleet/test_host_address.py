"""Names that say how a host is reached. A name that can't be read is refused before any host is contacted."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleethands.fleet.host_address import InvalidHostName, SshAddress, check_target
from tests.helpers.command_line import fleethands

MODELS = ("--data", 'models=["m"]')


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("root@box", SshAddress("root", "box")),
        ("root@box:2222", SshAddress("root", "box", 2222)),
        ("root@192.0.2.7:22", SshAddress("root", "192.0.2.7", 22)),
        ("me@corp@box", SshAddress("me@corp", "box")),
        ("root@::1", SshAddress("root", "::1")),
        ("root@[::1]", SshAddress("root", "::1")),
        ("root@[2001:db8::7]:2222", SshAddress("root", "2001:db8::7", 2222)),
        ("root@fe80::1%eth0", SshAddress("root", "fe80::1%eth0")),
        ("root@::1:22", SshAddress("root", "::1:22")),
        ("box", None),
        ("::1", None),
        ("@local", None),
        ("@docker/image@sha256:abcd", None),
    ],
)
def test_a_name_says_where_its_host_is(name: str, address: SshAddress | None) -> None:
    assert SshAddress.parse(name) == address


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("root@box:abc", "expected a port from 1 to 65535, got `abc`"),
        ("root@box:0", "expected a port from 1 to 65535, got `0`"),
        ("root@box:", "expected a port from 1 to 65535, got ``"),
        ("root@box:65536", "expected a port from 1 to 65535, got `65536`"),
        ("root@box:\u0661", "expected a port"),
        ("root@[::1]:x", "expected a port from 1 to 65535, got `x`"),
        ("root@", "expected a host name or address after `@`, and at most a port"),
        ("root@:22", "expected a host name or address"),
        ("root@1:2:3", "expected a host name or address"),
        ("root@[box]:22", "expected a host name or address"),
        ("root@[::1]22", "expected a host name or address"),
        ("root@[::1", "expected a host name or address"),
    ],
)
def test_another_name_is_refused(name: str, said: str) -> None:
    with pytest.raises(InvalidHostName) as caught:
        SshAddress.parse(name)
    assert str(caught.value).startswith(f"`{name}`: {said}")
    assert caught.value.hints


@pytest.mark.parametrize(
    ("target", "said", "hint"),
    [
        ("", "the target is empty", "name an inventory file, or hosts such as `root@box,root@box2`"),
        (",", "`,`: a host name in it is empty", "name an inventory file, or hosts such as `root@box,root@box2`"),
        ("root@a.invalid, root@b.invalid,", "a host name in it is empty", "`root@a.invalid,root@b.invalid`"),
        ("root@box.invalid:abc", "expected a port from 1 to 65535, got `abc`", "own port: `root@box.invalid`"),
        ("inventory", "`inventory` is a directory", "name a file: `inventory/example.py`"),
        ("tests/fixtures/ansible", "is a directory", "name a file: `tests/fixtures/ansible/hosts.ini`"),
        (",".join(f"root@{n}.invalid" for n in range(99)), "99 hosts are too many for one arg", "fleethands init DIR"),
    ],
)
def test_wrong_words_for_hosts_exit_64(target: str, said: str, hint: str) -> None:
    done = fleethands("plan", target, *MODELS)

    assert (done.returncode, done.stdout) == (64, "")
    first, _, last = done.stderr.partition("\n\nhint: ")
    assert said in first
    assert hint in last
    assert "Traceback" not in done.stderr


def test_a_wrong_name_in_a_file_is_its_mistake(tmp_path: Path) -> None:
    (tmp_path / "fleet.py").write_text("gpu = [('root@box.invalid:abc', {'models': ['m:1']})]\n")

    done = fleethands("plan", str(tmp_path / "fleet.py"))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: `root@box.invalid:abc`: expected a port")


@pytest.mark.parametrize("name", ["root@[::1]:1", "root@[::ffff:127.0.0.1]:1"])
def test_a_host_is_reached_by_ipv6(name: str) -> None:
    done = fleethands("plan", name, *MODELS)

    assert done.returncode == 1
    assert "no SSH server answers at" in done.stdout, done.stdout + done.stderr


def test_what_is_no_list_of_hosts_is_left_to_pyinfra(tmp_path: Path) -> None:
    (tmp_path / "a, b.py").write_text("")

    for target in ("box", "@local", "my.module:hosts", str(tmp_path / "a, b.py")):
        check_target(target)
