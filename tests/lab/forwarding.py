"""IPv4 forwarding of this machine: on while a lab needs it, afterwards as it was."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.lab import cache

SWITCH = Path("/proc/sys/net/ipv4/ip_forward")
USERS = Path("/run/fleethands-lab/forwarding")  # gone after a reboot, as the switch's setting is
BEFORE = USERS.with_name("forwarding-before")


def ask(ident: str) -> None:
    """Switch it on in the name of a lab."""
    with cache.lock("forwarding"):
        USERS.mkdir(parents=True, exist_ok=True)
        if not _users():
            BEFORE.write_text(SWITCH.read_text())
        (USERS / ident).touch()
        SWITCH.write_text("1")


def release(ident: str) -> None:
    """This lab no longer needs it. After the last lab the machine's own setting is restored."""
    with cache.lock("forwarding"):
        if not BEFORE.exists():
            return
        (USERS / ident).unlink(missing_ok=True)
        if not _users():
            SWITCH.write_text(BEFORE.read_text())
            BEFORE.unlink()
            with contextlib.suppress(OSError):
                USERS.rmdir()
                USERS.parent.rmdir()


def _users() -> list[Path]:
    """Those that asked and still have a bridge; a lab that died without a word does not count."""
    if not USERS.is_dir():
        return []
    for user in USERS.iterdir():
        if not Path(f"/sys/class/net/fh{user.name}").exists():
            user.unlink()
    return list(USERS.iterdir())
