"""Why pyinfra could not connect to a host, in our words."""

from __future__ import annotations

from typing import Any

from fleethands.facts import ssh_command
from fleethands.ssh.connection import address
from fleethands.ssh.diagnosis import Why, diagnosis, refused_key
from fleethands.ssh.host_key_check import RefusedKey
from fleethands.ssh.jump_hosts import LOOP, WayLost, leading_back
from fleethands.ssh.openssh import ConfigurationError
from fleethands.text.sanitize import short


def why_unreachable(words: str, host: Any, error: BaseException) -> Why:
    """
    A reason, and hints.

    + words: target and options, as the next command takes them
    + error: as pyinfra or paramiko raises it; what is behind it says more
    """
    cause = error if isinstance(error, (RefusedKey, WayLost, ConfigurationError)) else error.__context__
    if isinstance(cause, RefusedKey):
        return refused_key(f"`fleethands trust {words}`", cause.name, cause.verdict)
    if isinstance(cause, WayLost):
        return cause.why
    if isinstance(cause, ConfigurationError):
        _, loop, name = str(cause).partition(LOOP)
        hint = (
            leading_back(name) if loop else f"correct it, then see what `ssh` makes of it: `{ssh_command(host, '-G')}`"
        )
        return f"`ssh` does not take its configuration: {cause}", [hint]
    return diagnosis(host.name, address(host), ssh_command(host, "-v"), short(str(error)))
