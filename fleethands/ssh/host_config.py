"""How one host of an inventory is reached: by the inventory, and by the user's SSH configuration."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from fleethands.ssh import openssh, without_openssh
from fleethands.ssh.ssh_config import SshConfig, SshQuery


def read_ssh_config(question: SshQuery) -> SshConfig:
    """How a host is reached: as `ssh` says; where that is not installed, as far as paramiko can read its files."""
    return openssh.read_ssh_config(question) if openssh.ssh_program() else without_openssh.read_ssh_config(question)


def ignored_config_lines(hosts: Iterable[Any]) -> list[str]:
    """Lines of the configuration that do not count, in words; there are none where `ssh` is installed."""
    if openssh.ssh_program():
        return []
    lines: dict[str, None] = {}
    for config in {host.data.get("ssh_config_file") or None for host in hosts if not host.name.startswith("@")}:
        with suppress(OSError, ValueError):  # which is an error of each host
            lines.update(dict.fromkeys(map(str, without_openssh.ignored_lines(config))))
    why = "is left out, with what stands below it: `ssh` alone can judge it, and is not installed here"
    return [f"{line} {why}" for line in lines]


def ssh_query_for(host: Any) -> SshQuery:
    """What `ssh` is asked about a host of pyinfra's: its name, and whatever the inventory itself says."""
    data = host.data
    port, config = data.get("ssh_port"), data.get("ssh_config_file")
    name = data.get("ssh_hostname") or host.name
    return SshQuery(str(name), int(port) if port else None, data.get("ssh_user") or None, config or None)


def known_hosts(answer: SshConfig, given: str | None) -> tuple[Path, ...]:
    """
    The files that say what a host's key is.

    + given: the one that the inventory names, in the place of all
    """
    return (Path(given).expanduser(),) if given else (*answer.own_files, *answer.shared_files)


def own_file(answer: SshConfig, given: str | None) -> Path | None:
    """The file that new keys are added to; None where the configuration has none of the user's."""
    return Path(given).expanduser() if given else next(iter(answer.own_files), None)
