"""Reads the user's SSH configuration with paramiko if `ssh` is not installed, and lists the lines that it ignores."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from paramiko import SSHConfig

from fleethands.ssh import home
from fleethands.ssh.shared_answers import DEEPEST, included, split_line
from fleethands.ssh.ssh_config import NONE, SshConfig, SshQuery

# conditions that paramiko can evaluate, `canonical` and `final` in its only pass
READ = {"all", "host", "originalhost", "user", "localuser", "canonical", "final"}
HAVE_VALUES = {"host", "originalhost", "user", "localuser", "exec", "localnetwork", "tagged", "address", "command"}


@dataclass(frozen=True)
class Unread:
    """A line that only `ssh` can evaluate. It and the lines that depend on it are ignored."""

    path: Path
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}, line {self.number}: `{self.text}`"


@dataclass(frozen=True)
class _File:
    config: SSHConfig
    ignored_lines: tuple[Unread, ...]


def read_ssh_config(question: SshQuery) -> SshConfig:
    """The configuration of a host in the user's file. Raises OSError, ValueError."""
    found = _file(home.user_file(question.config)).config.lookup(question.name)
    user_files = found.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2").split()
    agent = found.get("identityagent")
    return SshConfig(
        found.get("hostname", question.name),
        question.port or int(found.get("port", 22)),
        question.user or found.get("user") or getpass.getuser(),
        alias=found.get("hostkeyalias", ""),
        identities=tuple(map(home.expand_home, found.get("identityfile") or DEFAULT_IDENTITIES)),
        certificates=tuple(map(home.expand_home, found.get("certificatefile", ()))),
        identities_only=found.get("identitiesonly", "").lower() == "yes",
        agent=None if agent in {None, "SSH_AUTH_SOCK"} else "" if agent == NONE else home.expand_home(str(agent)),
        own_files=tuple(Path(home.expand_home(each)) for each in user_files if each != NONE),
        jump="" if found.get("proxyjump", NONE).lower() == NONE else found["proxyjump"],
        command="" if found.get("proxycommand", NONE).lower() == NONE else found["proxycommand"],
        strict=found.get("stricthostkeychecking", "ask"),
    )


DEFAULT_IDENTITIES = ("~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519")


def ignored_lines(config: str | None) -> tuple[Unread, ...]:
    """Ignored lines of the user's file and the files that it includes. Raises OSError, ValueError."""
    return _file(home.user_file(config)).ignored_lines


@cache
def _file(path: Path) -> _File:
    missed: list[Unread] = []
    config = SSHConfig.from_text("\n".join(_rows(path, missed)))
    return _File(config, tuple(missed))


def _rows(path: Path, missed: list[Unread], depth: int = 0) -> Iterator[str]:
    """The lines that paramiko can read, without the blocks behind those that it can't."""
    if depth > DEEPEST or not path.exists():
        return
    left_out = False
    for number, row in enumerate(path.read_text(errors="replace").splitlines(), 1):
        keyword, words = split_line(row)
        if keyword in {"host", "match"}:
            left_out = keyword == "match" and not _conditions(words) <= READ
            if left_out:
                missed.append(Unread(path, number, row.strip()))
        if keyword == "include" and not left_out:
            for each in words:
                for found in included(each):
                    yield from _rows(found, missed, depth + 1)
        elif keyword and not left_out:
            yield row


def _conditions(words: list[str]) -> set[str]:
    rest, found = iter(words), set()
    for word in rest:
        condition = word.removeprefix("!").partition("=")[0].lower()
        found.add(condition)
        if condition in HAVE_VALUES and "=" not in word:
            next(rest, None)
    return found
