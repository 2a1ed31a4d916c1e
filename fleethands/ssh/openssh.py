"""What OpenSSH's own `ssh` says of a host (`ssh -G`): its address and user, keys, known_hosts files, jump hosts."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import gevent  # type: ignore[import-untyped]
from gevent.event import AsyncResult  # type: ignore[import-untyped]
from gevent.lock import BoundedSemaphore  # type: ignore[import-untyped]
from paramiko import SSHException

from fleethands.ssh import home
from fleethands.ssh.processes import run_program
from fleethands.ssh.shared_answers import config_class_of
from fleethands.text.sanitize import sanitize_line

CONFIG_TIMEOUT = 20.0  # seconds for one answer; commands of `Match exec` and look-ups of names are part of it
NONE = "none"
_turns = BoundedSemaphore(max(2, os.cpu_count() or 2))  # each answer is a process of its own
_shared: dict[object, AsyncResult] = {}


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


def ssh_program() -> str | None:
    """The path of `ssh`; None where it is not installed."""
    return _found(os.environ.get("PATH"))


@cache
def _found(_path: str | None) -> str | None:
    return shutil.which("ssh")


def read_ssh_config(question: SshQuery) -> SshConfig:
    """
    What `ssh` says of a host. Hosts that the configuration does not tell apart share one answer.

    Raises ConfigurationError in the words of `ssh`; OSError.
    """
    alike = config_class_of(question.name, question.config)
    if alike is None:
        return _parse(question, _run_ssh_g(question))
    key = (replace(question, name=""), alike, os.environ.get("HOME"))
    result = _shared.get(key)
    if result is None:
        result = _shared[key] = AsyncResult()
        try:
            result.set((question.name.lower(), _run_ssh_g(question)))
        except BaseException as error:
            del _shared[key]
            result.set_exception(error)
            raise
    asked, text = result.get()
    return _parse(question, text, asked)


def _run_ssh_g(question: SshQuery) -> str:
    """The lines of `ssh -G`."""
    ssh = ssh_program()
    if ssh is None:
        raise ConfigurationError("`ssh` is not installed")
    late = ConfigurationError(f"`ssh -G {question.name}` gave no answer within {CONFIG_TIMEOUT:g} s")
    with _turns, gevent.Timeout(CONFIG_TIMEOUT, late):
        said, complaints = run_program([ssh, "-T", "-G", *question.words])
    if not said:
        raise ConfigurationError(sanitize_line(complaints) or "`ssh -G` said nothing")
    return said


def _parse(question: SshQuery, text: str, asked: str = "") -> SshConfig:
    """
    Raises ConfigurationError for an answer without what every answer has.

    + asked: the name that the answer is about; where it is the address too, that of this host is its own name
    """
    lines: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        lines.setdefault(keyword.lower(), []).append(value.strip())
    one = {keyword: values[0] for keyword, values in lines.items()}
    try:
        hostname, port, user = one["hostname"], int(one["port"]), one["user"]
    except (KeyError, ValueError):
        raise ConfigurationError(f"the answer of `ssh -G {question.name}` does not read as expected") from None
    hostname = question.name.lower() if hostname == asked else hostname
    answer = SshConfig(hostname, port, user, alias=one.get("hostkeyalias", ""))
    tokens = _Tokens(question, answer)
    return replace(
        answer,
        identities=tuple(tokens.path(each) for each in lines.get("identityfile", ()) if each != NONE),
        certificates=tuple(tokens.path(each) for each in lines.get("certificatefile", ()) if each != NONE),
        identities_only=one.get("identitiesonly") in {"yes", "true"},
        agent=_agent(one.get("identityagent")),
        own_files=_files(one.get("userknownhostsfile", NONE)),
        shared_files=_files(one.get("globalknownhostsfile", NONE)),
        jump=one.get("proxyjump", "").removeprefix(NONE),
        command=tokens.expanded(one.get("proxycommand", "")).removeprefix(NONE),
        strict=one.get("stricthostkeychecking", "ask"),
    )


class _Tokens:
    """Percent tokens and variables that `ssh -G` leaves as they are written (ssh_config(5), TOKENS)."""

    def __init__(self, question: SshQuery, answer: SshConfig) -> None:
        local = os.uname().nodename
        self._values = {
            "%": "%", "d": str(home.account_home()), "h": answer.hostname, "i": str(os.getuid()),
            "k": answer.alias or answer.hostname, "L": local.partition(".")[0], "l": local, "n": question.name,
            "p": str(answer.port), "r": answer.user, "u": home.user_name(), "j": "",
        }  # fmt: skip

    def expanded(self, text: str) -> str:
        """The text with its percent tokens; those that are unknown stay."""
        parts = iter(text.split("%"))
        whole = next(parts)
        for part in parts:
            letter = part[:1] or "%"
            rest = part[1:] if part else next(parts, "")
            whole += self._values.get(letter, f"%{letter}") + rest
        return whole

    def path(self, text: str) -> str:
        """A file's path."""
        return home.expand_home(os.path.expandvars(self.expanded(text)))


def _agent(value: str | None) -> str | None:
    if value is None or value == "SSH_AUTH_SOCK":
        return None
    if value.startswith("$"):
        return os.environ.get(value.strip("${}"), "")
    return "" if value == NONE else home.expand_home(value)


def _files(value: str) -> tuple[Path, ...]:
    """Paths of a line. `ssh -G` puts no quotes around blanks in them: what exists under a longer name is one path."""
    words, found = value.split(" "), []
    while words:
        ends = range(len(words), 1, -1)
        end = next((each for each in ends if os.path.exists(home.expand_home(" ".join(words[:each])))), 1)
        found.append(home.expand_home(" ".join(words[:end])))
        del words[:end]
    return tuple(Path(each) for each in found if each not in {NONE, ""})


def jump_command(question: SshQuery, answer: SshConfig) -> Sequence[str]:
    """
    The command that carries a connection through the jump hosts of an answer, as `ssh` itself begins it.

    It asks nobody, and forwards no agent. What it says of keys and logins on its way counts.
    """
    *before, last = answer.jump.split(",")
    through = ["-J", ",".join(before)] if before else []
    host = last if last.startswith("ssh://") else f"ssh://{last}"
    target = f"[{answer.hostname}]:{answer.port}"
    return [
        ssh_program() or "ssh",
        *home.config_words(question.config),
        *JUMP_OPTIONS,
        *through,
        "-W",
        target,
        "--",
        host,
    ]


JUMP_OPTIONS = (
    "-a", "-x", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10",
    "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4", "-o", "RemoteCommand=none",
)  # fmt: skip
