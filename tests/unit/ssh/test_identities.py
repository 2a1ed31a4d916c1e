"""Keys of a real agent, and certificates made by ssh-keygen."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from paramiko.agent import Agent

from fleethands.ssh import identities
from fleethands.ssh.ssh_config import SshConfig
from tests.helpers.sshd import key, public


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """The socket of an agent that has two keys. One of them is also in a file."""
    place = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL) as process:
        try:
            for kind in ("ed25519", "ecdsa"):
                path = key(tmp_path, kind)
                add = ["ssh-add", "-q", str(path)]
                while subprocess.run(
                    add, env={"SSH_AUTH_SOCK": str(place)}, capture_output=True, check=False
                ).returncode:
                    assert process.poll() is None
            yield place
        finally:
            process.terminate()


def answer(**words: object) -> SshConfig:
    return SshConfig("10.0.0.7", 22, "ada", **words)  # type: ignore[arg-type]


def names(found: Agent | None) -> list[str]:
    return [each.get_name() for each in found.get_keys()] if found else []


def test_the_agent_of_the_configuration_is_asked_and_identities_only_limits_it(agent: Path, tmp_path: Path) -> None:
    both = ["ssh-ed25519", "ecdsa-sha2-nistp256"]

    assert names(identities.agent(answer(agent=str(agent)))) == both
    assert names(identities.agent(answer(agent=str(agent), identities_only=True))) == []
    one = answer(agent=str(agent), identities_only=True, identities=(str(tmp_path / "ecdsa"),))
    assert names(identities.agent(one)) == both[1:]
    (tmp_path / "ecdsa").unlink()  # as of a key that only the agent has
    assert names(identities.agent(one)) == both[1:]
    assert names(identities.agent(answer(agent=str(tmp_path / "nobody")))) == []
    assert identities.agent(answer(agent="")) is None


def test_files_are_those_that_are_private_keys_and_none_beside_a_key_of_the_inventory(tmp_path: Path) -> None:
    own, other = key(tmp_path, "ed25519"), tmp_path / "id_rsa"
    key(tmp_path, "rsa").rename(other)
    found = answer(identities=(str(tmp_path / "none"), str(own), f"{own}.pub", str(other)))

    assert identities.options(found, {})["key_filename"] == [str(own), str(other)]
    assert identities.options(found, {"look_for_keys": False})["key_filename"] == [str(own)]
    assert identities.options(found, {"allow_agent": False})["allow_agent"] is False
    assert identities.options(found, {"pkey": object()}) == {}


def test_a_certificate_goes_with_its_own_key(tmp_path: Path) -> None:
    authority, own, other = (key(tmp_path, kind) for kind in ("rsa", "ed25519", "ecdsa"))
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "ada", "-n", "ada", f"{own}.pub"], check=True)
    certificate = (tmp_path / "ed25519-cert.pub").rename(tmp_path / "mine.pub")

    found = identities.options(answer(identities=(str(other), str(own)), certificates=(str(certificate),)), {})["pkey"]

    assert found.public_blob.key_type == "ssh-ed25519-cert-v01@openssh.com"
    assert f"{found.get_name()} {found.get_base64()}" == public(own)
