"""Makes `ssh` use the files below $HOME, like every other program."""

from __future__ import annotations

import atexit
import os
import pwd
import tempfile
from functools import cache
from pathlib import Path

SYSTEM = Path("/etc/ssh/ssh_config")


def user_file(config: str | None) -> Path:
    """The user's configuration file, or the one that replaces it."""
    return Path(config).expanduser() if config else Path.home() / ".ssh" / "config"


def config_words(config: str | None) -> list[str]:
    """
    Options that make `ssh` read the right files.

    + config: a file instead of the user's and the system's

    `ssh` itself uses the account's home and ignores $HOME. In CI containers these differ, and the keys are below $HOME.
    """
    if config:
        return ["-F", str(user_file(config))]
    return [] if Path.home() == account_home() else ["-F", _joined(Path.home())]


def expand_home(path: str) -> str:
    """A path of `ssh`, moved from the account's home to $HOME."""
    rest = path.removeprefix(f"{account_home()}/.ssh/")
    return str(Path.home() / ".ssh" / rest) if rest != path else os.path.expanduser(path)


@cache
def account_home() -> Path:
    """The home of this account."""
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # no such account; `ssh` refuses to run then
        return Path.home()


@cache
def user_name() -> str:
    """The name of this account."""
    return pwd.getpwuid(os.getuid()).pw_name


def include_all(home: Path) -> str:
    """Lines of an ssh_config that do what `ssh` does without `-F`, with the files below this home."""
    quoted = f"{home}/.ssh".replace('"', "")
    escaped = quoted.replace("%", "%%")
    lines = [
        f'Match all\n  Include "{quoted}/config"',
        f'Match all\n  Include "{SYSTEM}"',
        f'Match all\n  UserKnownHostsFile "{escaped}/known_hosts" "{escaped}/known_hosts2"',
    ]
    return "\n".join(lines) + "\n"


@cache
def _joined(home: Path) -> str:
    """A temporary file that includes the configuration of this home and of the system; it is removed at exit."""
    descriptor, path = tempfile.mkstemp(prefix="fleethands-ssh-", text=True)
    with os.fdopen(descriptor, "w") as file:
        file.write(include_all(home))
    atexit.register(Path(path).unlink, missing_ok=True)
    return path
