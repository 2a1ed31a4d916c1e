"""Who runs fleethands, and from which revision of the inventory."""

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
    """Take the revision from the directory of an inventory file; without a file, from the working directory."""
    path = Path(target)
    _from["directory"] = path.resolve().parent if path.is_file() else Path.cwd()


def user() -> str:
    """The name of the user, also behind `sudo`."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # a user without a name, in a container
        return str(os.getuid())


def user_at_controller() -> str:
    """`user@controller`."""
    return f"{user()}@{socket.gethostname()}"


def inventory_revision() -> str:
    """The commit of the inventory's directory, with `+` if it has uncommitted changes; empty without git."""
    return _revision(_from.get("directory", Path.cwd()))


@cache
def _revision(directory: Path) -> str:
    commit = _git(directory, "rev-parse", "HEAD").strip()
    return commit + ("+" if commit and _git(directory, "status", "--porcelain", "--", ".") else "")


def _git(directory: Path, *arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
