"""Explains why pyinfra could not connect to a host."""

from __future__ import annotations

from typing import Any

from fleethands.command_line import CommandLine
from fleethands.facts import ssh_command
from fleethands.ssh.connection import ssh_address
from fleethands.ssh.diagnosis import Why, explain_error, explain_refused_key
from fleethands.ssh.host_key_check import HostKeyRefused
from fleethands.ssh.jump_hosts import LOOP_MARK, JumpHostError, loop_hint
from fleethands.ssh.ssh_config import ConfigurationError
from fleethands.text.sanitize import sanitize_line


def why_unreachable(line: CommandLine, host: Any, error: BaseException) -> Why:
    """
    A reason and hints.

    + words: target and options for the next command
    + error: of pyinfra or paramiko; its cause explains more
    """
    cause = error if isinstance(error, (HostKeyRefused, JumpHostError, ConfigurationError)) else error.__context__
    if isinstance(cause, HostKeyRefused):
        return explain_refused_key(f"`{line.trust(host.name)}`", cause.name, cause.verdict)
    if isinstance(cause, JumpHostError):
        return cause.why
    if isinstance(cause, ConfigurationError):
        _, loop, name = str(cause).partition(LOOP_MARK)
        hint = loop_hint(name) if loop else f"correct the configuration, then check it: `{ssh_command(host, '-G')}`"
        return f"`ssh` rejects its configuration: {cause}", [hint]
    return explain_error(host.name, ssh_address(host), ssh_command(host, "-v"), sanitize_line(str(error)))
