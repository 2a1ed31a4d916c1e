"""
The functions of pyinfra 3.10 and paramiko that this process replaces, each with its reason and its place upstream.

tests/unit/engine/test_engine.py fails when a new release changes one of these places.
"""

from __future__ import annotations

import sys
from functools import cache
from types import FrameType
from typing import NamedTuple, NoReturn, get_type_hints

import paramiko.client
import pyinfra.api.arguments
import pyinfra.api.util
import pyinfra.connectors.ssh
import pyinfra.connectors.ssh_util
import pyinfra.connectors.util
from pyinfra.api.exceptions import ConnectError

from fleethands import streams
from fleethands.ssh.client import SshClient
from fleethands.ssh.transport import LimitedTransport


def apply() -> None:
    """Replace them all. Calling it again changes nothing."""
    cache_operation_lookup()
    streams.patch_pyinfra()
    refuse_questions()
    connect_as_openssh()


def cache_operation_lookup() -> None:
    """
    Find the caller of an operation without reading source files.

    pyinfra tells operations apart by the lines of the stack (api/util.py, `get_operation_order_from_stack`). For each
    frame, `inspect` searches every loaded module for the source, which pyinfra then ignores. It also evaluates type
    hints for each operation (api/arguments.py, `all_global_arguments`). Without both, a plan over stand-ins needs a
    third of the time.
    """
    pyinfra.api.util.stack = stack
    pyinfra.api.util.getframeinfo = frame_position
    pyinfra.api.arguments.get_type_hints = cache(get_type_hints)


def refuse_questions() -> None:
    """
    Fail to connect where pyinfra would ask for a password.

    pyinfra calls `getpass` for the passphrase of a key (connectors/ssh_util.py) and for sudo (connectors/util.py).
    fleethands connects many hosts at once and often runs without a terminal.
    """
    pyinfra.connectors.ssh_util.getpass = _refuse
    pyinfra.connectors.util.getpass = _refuse


def connect_as_openssh() -> None:
    """
    Connect with fleethands' own SSH client and transport.

    pyinfra's client (connectors/ssh.py, `SSHConnector._connect`) ignores most of `ssh_config`, and its AskPolicy asks
    about unknown host keys (connectors/sshuserclient/client.py). paramiko's transport (client.py, `SSHClient.connect`)
    buffers all that a host sends.
    """
    setattr(pyinfra.connectors.ssh, "SSHClient", SshClient)  # noqa: B010 (not exported, to the type checker)
    setattr(paramiko.client, "Transport", LimitedTransport)  # noqa: B010 (not exported, to the type checker)


class FramePosition(NamedTuple):
    """File and line of a frame, with the names that `inspect.getframeinfo` uses."""

    filename: str
    lineno: int


def stack() -> list[tuple[FrameType]]:
    """The frames of the caller and of those above it, the innermost first."""
    frames: list[tuple[FrameType]] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        frames.append((frame,))
        frame = frame.f_back
    return frames


def frame_position(frame: FrameType) -> FramePosition:
    """File and line that a frame is at."""
    return FramePosition(frame.f_code.co_filename, frame.f_lineno)


def _refuse(prompt: str = "") -> NoReturn:
    raise ConnectError(f"would ask: {prompt.strip().rstrip(':')}")
