"""Who works on a fleet from here, and by which revision of the inventory."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from functools import cache
from pathlib import Path

SECONDS = 10
_from: dict[str, Path] = {}


def set_inventory(target: str) -> None:
    """What a run takes its inventory from: a file, or words without one, which count for the working directory."""
    path = Path(target)
    _from["directory"] = path.resolve().parent if path.is_file() else Path.cwd()


def user() -> str:
    """The person's user, behind a `sudo` too."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return str(os.getuid())


def user_at_controller() -> str:
    """`user@controller`."""
    return f"{user()}@{socket.gethostname()}"


def inventory_revision() -> str:
    """The commit of the inventory's directory, with `+` where something there is not committed; empty without git."""
    return _revision(_from.get("directory", Path.cwd()))


@cache
def _revision(directory: Path) -> str:
    commit = _git(directory, "rev-parse", "HEAD").strip()
    return commit + ("+" if commit and _git(directory, "status", "--porcelain", "--", ".") else "")


def _git(directory: Path, *words: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(directory), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
