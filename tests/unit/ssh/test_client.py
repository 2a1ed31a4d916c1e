"""Addresses that a connection is tried at."""

from __future__ import annotations

import pytest
from paramiko.client import SSHClient

from fleethands.ssh.client import SshClient


@pytest.mark.parametrize("name", ["127.0.0.1", "127.1", "::1", "localhost"])
def test_the_addresses_of_a_host_are_those_that_paramiko_finds(name: str) -> None:
    client = SshClient()

    found = list(client._families_and_addresses(name, 22))

    assert found == list(SSHClient._families_and_addresses(client, name, 22))  # type: ignore[attr-defined]
    assert found
