"""What is asked about a host, and how SSH reaches it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from paramiko import SSHException

from fleethands.ssh import home

NONE = "none"


class ConfigurationError(SSHException):
    """`ssh` does not take the configuration, or the host's name; in its own words."""


@dataclass(frozen=True)
class SshQuery:
    """
    A host as a user names it to `ssh`. What is given here wins over the configuration, and `Match` lines see it.

    + config: a file in the place of the user's and the system's
    """

    name: str
    port: int | None = None
    user: str | None = None
    config: str | None = None

    @property
    def words(self) -> list[str]:
        """Words of a command line: options, then the host."""
        port = ["-p", str(self.port)] if self.port else []
        user = ["-l", self.user] if self.user else []
        return [*home.config_words(self.config), *port, *user, "--", self.name]

    def command(self, *options: str) -> str:
        """
        What a person types to reach the host the same way.

        + options: in front of the others
        """
        config = ["-F", self.config] if self.config else []
        port = ["-p", str(self.port)] if self.port else []
        place = f"{self.user}@{self.name}" if self.user else self.name
        return shlex.join(["ssh", *options, *config, *port, place])


@dataclass(frozen=True)
class SshConfig:
    """
    How a host is reached.

    + alias: the name under which its key is known; empty where that is its address
    + identities: private key files, in their order; certificates: files that belong to some of them
    + agent: the agent's socket, None for the one that the environment names, empty for none
    + own_files, shared_files: known_hosts files of the user, and of the machine
    + jump: the value of ProxyJump; command: that of ProxyCommand, as it is written
    + strict: the value of StrictHostKeyChecking
    """

    hostname: str
    port: int
    user: str
    alias: str = ""
    identities: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    identities_only: bool = False
    agent: str | None = None
    own_files: tuple[Path, ...] = ()
    shared_files: tuple[Path, ...] = ()
    jump: str = ""
    command: str = ""
    strict: str = "ask"
