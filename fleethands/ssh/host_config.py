"""How one host of an inventory is reached: by the inventory, and by the user's SSH configuration."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from fleethands.ssh import openssh, without_openssh
from fleethands.ssh.ssh_config import SshConfig, SshQuery


def read_ssh_config(question: SshQuery) -> SshConfig:
    """How a host is reached, by `ssh -G`. Without `ssh`, as far as paramiko can read the configuration."""
    return openssh.read_ssh_config(question) if openssh.ssh_program() else without_openssh.read_ssh_config(question)


def ignored_config_lines(hosts: Iterable[Any]) -> list[str]:
    """Warnings about configuration lines that are ignored; none if `ssh` is installed."""
    if openssh.ssh_program():
        return []
    lines: dict[str, None] = {}
    for config in {host.data.get("ssh_config_file") or None for host in hosts if not host.name.startswith("@")}:
        with suppress(OSError, ValueError):  # each host reports it as its own error
            lines.update(dict.fromkeys(map(str, without_openssh.ignored_lines(config))))
    why = "is ignored, with the lines below it: only `ssh` can evaluate it, and `ssh` is not installed on this machine"
    return [f"{line} {why}" for line in lines]


def ssh_query_for(host: Any) -> SshQuery:
    """The query for `ssh -G` about a host of pyinfra: its name, and the settings of the inventory."""
    data = host.data
    port, config = data.get("ssh_port"), data.get("ssh_config_file")
    name = data.get("ssh_hostname") or host.name
    return SshQuery(str(name), int(port) if port else None, data.get("ssh_user") or None, config or None)


def known_hosts(answer: SshConfig, given: str | None) -> tuple[Path, ...]:
    """
    The known_hosts files of a host.

    + given: the inventory's own, instead of all others
    """
    return (Path(given).expanduser(),) if given else (*answer.own_files, *answer.shared_files)


def own_file(answer: SshConfig, given: str | None) -> Path | None:
    """The file that new keys are added to; None if the configuration names no file of the user."""
    return Path(given).expanduser() if given else next(iter(answer.own_files), None)
