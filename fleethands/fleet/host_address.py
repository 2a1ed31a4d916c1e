"""Host names with an SSH address: `user@address`, `user@address:port`, `user@[IPv6]:port`."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from fleethands.errors import FleethandsError
from fleethands.fleet.ansible.kind import ansible_file

_BRACKETED = re.compile(r"\[(?P<address>[^\[\]]*)\](?P<rest>:.*)?\Z", re.DOTALL)
TARGET_HINT = "name an inventory file, or hosts such as `root@box,root@box2`"
_PORT = re.compile(r"\d{1,5}\Z", re.ASCII)


class InvalidHostName(FleethandsError):
    """A target, or the name of a host, cannot be read."""


@dataclass(frozen=True)
class SshAddress:
    """The SSH address of a host; port None for SSH's default."""

    user: str
    hostname: str
    port: int | None = None

    @classmethod
    def parse(cls, name: str) -> SshAddress | None:
        """Parse a host name; None without a user, and for a connector such as `@local`. Raises InvalidHostName."""
        user, at, place = name.rpartition("@")
        if not at or name.startswith("@"):
            return None
        if bracketed := _BRACKETED.match(place):
            hostname, rest = bracketed["address"], bracketed["rest"] or ""
        else:
            hostname, colon, port = (place, "", "") if _is_ipv6(place) else place.partition(":")
            rest = colon + port
        if not hostname or (bracketed and not _is_ipv6(hostname)) or ":" in rest[1:]:
            example = f"for example `{user}@box:22`, `{user}@2001:db8::7` or `{user}@[2001:db8::7]:22`"
            raise InvalidHostName(f"`{name}`: expected a host name or address after `@`, and at most a port", example)
        return cls(user, hostname, _port(name, rest[1:]) if rest else None)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _port(name: str, text: str) -> int:
    if _PORT.match(text) and 0 < int(text) < 2**16:
        return int(text)
    without = name[: len(name) - len(text) - 1]
    raise InvalidHostName(
        f"`{name}`: expected a port from 1 to 65535, got `{text}`",
        f"for SSH's own port: `{without}`; for another: `{without}:2222`",
    )


def check_target(target: str) -> None:
    """Raise InvalidHostName for a target that pyinfra can't read as an inventory file, a module or a list of hosts."""
    if not target.strip():
        raise InvalidHostName("the target is empty", TARGET_HINT)
    if os.path.isdir(target):
        files = [*sorted(Path(target).glob("*.py")), *filter(ansible_file, map(str, sorted(Path(target).iterdir())))]
        raise InvalidHostName(
            f"`{target}` is a directory, not an inventory", f"name a file: `{files[0]}`" if files else TARGET_HINT
        )
    if os.path.exists(target):
        return
    names = target.split(",")
    right = [name.strip() for name in names if name.strip()]
    if names != right:
        example = f"write `{','.join(right)}`" if right else TARGET_HINT
        raise InvalidHostName(f"`{target}`: a host name in it is empty, or begins or ends with a space", example)
    if _is_too_long(target):
        hint = "list them in an inventory file, such as the one of `fleethands init DIR`"
        raise InvalidHostName(f"`{names[0]},…`: {len(names)} hosts are too many for one argument", hint)


def _is_too_long(target: str) -> bool:
    """Whether the text is too long for a path: pyinfra first checks whether the target is a file."""
    try:
        os.stat(target)
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False
