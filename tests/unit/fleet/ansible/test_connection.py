"""Ansible's connection variables become pyinfra's host data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleethands.fleet.ansible.connection import Connection, connection
from fleethands.fleet.ansible.place import FileLocation, Variable

HERE = FileLocation(Path("hosts.yml"), 3)


def read_connection(**declared: Any) -> Connection:
    return connection({name: Variable(value, HERE) for name, value in declared.items()})


def test_a_connection_is_said_in_pyinfras_words() -> None:
    found = read_connection(
        ansible_host="192.0.2.7",
        ansible_user="old",
        ansible_ssh_user="me",
        ansible_port="2222",
        ansible_ssh_private_key_file="~/.ssh/k",
        ansible_ssh_pass=1234,
        ansible_become=True,
        ansible_become_method="su",
        ansible_python_interpreter="/usr/bin/python3",
        ansible_connection="ansible.builtin.ssh",
    )

    assert (found.local, found.options, found.unusable) == (False, None, [])
    assert found.data == {
        "ssh_hostname": "192.0.2.7",
        "ssh_user": "me",
        "ssh_port": 2222,
        "ssh_key": "~/.ssh/k",
        "ssh_password": "1234",
    }
    assert read_connection(ansible_connection="local", ansible_host="127.0.0.1") == Connection(local=True)


@pytest.mark.parametrize(
    ("declared", "key", "said"),
    [
        ({"ansible_connection": "winrm"}, "ansible_connection", "expected `ssh` or `local`, got `winrm`"),
        ({"ansible_port": 0}, "ssh_port", "expected a port from 1 to 65535, got `0`"),
        ({"ansible_host": "{{ inventory_hostname }}.example.net"}, "ssh_hostname", "a Jinja expression"),
        ({"ansible_ssh_common_args": "-o Ciphers=aes256-ctr"}, "ssh_config_file", "`Ciphers` can't be honoured"),
        ({"ansible_ssh_args": "-W x"}, "ssh_config_file", "`-W` can't be honoured"),
        ({"ansible_ssh_private_key": "-----BEGIN"}, "ssh_key", "can't be honoured"),
    ],
)
def test_a_connection_that_can_not_be_had_stands_in_the_way(declared: dict[str, Any], key: str, said: str) -> None:
    (unusable,) = read_connection(**declared).unusable

    assert (unusable.key, unusable.place) == (key, HERE)
    assert said in unusable.problem
