"""Asks OpenSSH's `ssh -G` how a host is reached, and builds the command for its jump hosts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import gevent  # type: ignore[import-untyped]
from gevent.event import AsyncResult  # type: ignore[import-untyped]
from gevent.lock import BoundedSemaphore  # type: ignore[import-untyped]

from fleethands.ssh import home
from fleethands.ssh.processes import run_program
from fleethands.ssh.shared_answers import config_class_of
from fleethands.ssh.ssh_config import ConfigurationError, SshConfig, SshQuery
from fleethands.ssh.ssh_g_output import parse_ssh_g
from fleethands.text.sanitize import sanitize_line

CONFIG_TIMEOUT = 20.0  # seconds for one answer, with commands of `Match exec` and name lookups

_turns = BoundedSemaphore(max(2, os.cpu_count() or 2))  # each answer is a process
_shared: dict[object, AsyncResult] = {}


def ssh_program() -> str | None:
    """The path of `ssh`; None if it is not installed."""
    return _found(os.environ.get("PATH"))


@cache
def _found(_path: str | None) -> str | None:
    return shutil.which("ssh")


def read_ssh_config(question: SshQuery) -> SshConfig:
    """
    The SSH configuration of a host. Hosts that match the same lines of the files share one run of `ssh -G`.

    Raises ConfigurationError with the message of `ssh`, and OSError.
    """
    alike = config_class_of(question.name, question.config)
    if alike is None:
        return parse_ssh_g(question, _run_ssh_g(question))
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
    return parse_ssh_g(question, text, asked)


def _run_ssh_g(question: SshQuery) -> str:
    """The output of `ssh -G`."""
    ssh = ssh_program()
    if ssh is None:
        raise ConfigurationError("`ssh` is not installed")
    late = ConfigurationError(f"`ssh -G {question.name}` gave no answer within {CONFIG_TIMEOUT:g} s")
    with _turns, gevent.Timeout(CONFIG_TIMEOUT, late):
        said, complaints = run_program([ssh, "-T", "-G", *question.words])
    if not said:
        raise ConfigurationError(sanitize_line(complaints) or "`ssh -G` printed nothing")
    return said


def jump_command(question: SshQuery, answer: SshConfig) -> Sequence[str]:
    """
    The command that opens a connection through jump hosts, like the one that `ssh` itself runs.

    It never prompts and forwards no agent. Its messages explain failures on the way.
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
