"""What is asked about a host, and how SSH reaches it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from paramiko import SSHException

from fleethands.ssh import home

NONE = "none"


class ConfigurationError(SSHException):
    """`ssh` rejects the configuration or the host's name; the message is its own."""


@dataclass(frozen=True)
class SshQuery:
    """
    A host as a user would name it to `ssh`. Port and user override the configuration, and `Match` lines see them.

    + config: a file instead of the user's and the system's
    """

    name: str
    port: int | None = None
    user: str | None = None
    config: str | None = None

    @property
    def words(self) -> list[str]:
        """Arguments of `ssh`: options, then the host."""
        port = ["-p", str(self.port)] if self.port else []
        user = ["-l", self.user] if self.user else []
        return [*home.config_words(self.config), *port, *user, "--", self.name]

    def command(self, *options: str) -> str:
        """
        The command that connects to the host in the same way.

        + options: further options
        """
        config = ["-F", self.config] if self.config else []
        port = ["-p", str(self.port)] if self.port else []
        place = f"{self.user}@{self.name}" if self.user else self.name
        return shlex.join(["ssh", *options, *config, *port, place])


@dataclass(frozen=True)
class SshConfig:
    """
    How a host is reached.

    + alias: the name of its key in known_hosts; empty for its address
    + identities: private key files in order; certificates: certificates for some of them
    + agent: the agent's socket; None for the environment's, empty for none
    + own_files, shared_files: known_hosts files of the user, and of the machine
    + jump: the value of ProxyJump; command: the value of ProxyCommand
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
