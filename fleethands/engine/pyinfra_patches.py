"""
The functions of pyinfra 3.10 and paramiko that this process replaces, each with its reason and its place upstream.

tests/unit/engine/test_engine.py fails when a new release changes one of these places.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from copy import copy
from functools import cache, lru_cache
from types import FrameType
from typing import Any, NamedTuple, NoReturn, get_type_hints

import paramiko.client
import pyinfra.api.arguments
import pyinfra.api.util
import pyinfra.connectors.ssh
import pyinfra.connectors.ssh_util
import pyinfra.connectors.util
from pyinfra.api import Host, Inventory, State
from pyinfra.api.exceptions import ArgumentTypeError, ConnectError
from pyinfra.api.util import raise_if_bad_type
from pyinfra.context import ctx_config

from fleethands import streams
from fleethands.ssh.client import SshClient
from fleethands.ssh.transport import LimitedTransport


def apply() -> None:
    """Replace them all. Calling it again changes nothing."""
    cache_operation_lookup()
    merge_host_data_once()
    measure_names_once()
    streams.use_limited_streams()
    refuse_questions()
    connect_as_openssh()


def cache_operation_lookup() -> None:
    """
    Find the caller of an operation without reading source files.

    pyinfra tells operations apart by the lines of the stack (api/util.py, `get_operation_order_from_stack`). For each
    frame, `inspect` searches every loaded module for the source, which pyinfra then ignores. It also evaluates type
    hints for each operation (api/arguments.py, `all_global_arguments`), and hashes the same lines again for each host
    (api/operation.py, `solve_operation_consistency`). Without all three, a plan over stand-ins needs a third of the
    time.
    """
    vars(sys.modules["pyinfra.api.operation"])["make_hash"] = hash_lines
    pyinfra.api.util.stack = stack
    pyinfra.api.util.getframeinfo = frame_position
    pyinfra.api.arguments.get_type_hints = cache(get_type_hints)


def merge_host_data_once() -> None:
    """
    Find the global arguments of an operation with one merge of the host data.

    pyinfra merges override, host, groups and inventory again for each of 30 arguments (api/arguments.py,
    `pop_global_arguments`; api/host.py, `HostData`). That is half of the time that a plan needs for a host.
    """
    for name in ("arguments", "deploy", "facts", "operation"):  # `pyinfra.api.deploy` is the decorator, not the module
        vars(sys.modules[f"pyinfra.api.{name}"])["pop_global_arguments"] = pop_global_arguments


def measure_names_once() -> None:
    """
    Initialize a host without a look at all others.

    pyinfra looks for the longest name of the inventory for each of its hosts (api/host.py, `Host.init`).
    """
    setattr(Host, "init", init_host)  # noqa: B010 (a method, to the type checker)


def init_host(host: Host, state: State) -> None:
    """The same as pyinfra's method."""
    host.state = state
    host.connector = host.connector_cls(state, host)
    host.print_prefix_padding = " " * (_longest_name(host.inventory, len(host.inventory)) - len(host.name))


@lru_cache(maxsize=1)
def _longest_name(inventory: Inventory, _count: int) -> int:
    return max(len(host.name) for host in inventory)


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


def hash_lines(lines: Iterable[int]) -> str:
    """The hash of an operation, by the lines of its stack."""
    return _hash_lines(tuple(lines))


@lru_cache(maxsize=10_000)
def _hash_lines(lines: tuple[int, ...]) -> str:
    found: str = pyinfra.api.util.make_hash(lines)
    return found


def frame_position(frame: FrameType) -> FramePosition:
    """File and line that a frame is at."""
    return FramePosition(frame.f_code.co_filename, frame.f_lineno)


def pop_global_arguments(state: State, host: Host, kwargs: dict[str, Any]) -> tuple[Any, list[str]]:
    """The same as pyinfra's function, with the same parameters, result and errors."""
    config = ctx_config.get() if ctx_config.isset() else state.config
    around: Mapping[str, Any] = host.current_deploy_kwargs or {}
    declared = host.data.dict()
    arguments: dict[str, Any] = {}
    found = []
    for key, type_, meta in _global_arguments():
        default = copy(declared[key]) if key in declared else meta.default(config)
        if key in kwargs:
            found.append(key)
            value = kwargs.pop(key)
        else:
            value = around.get(key, default)
        if meta.handler:
            value = meta.handler(config, value)
        is_known = type(value) is type_ or (key == "_env" and not value)  # the check itself takes long
        if value != default and not is_known:
            raise_if_bad_type(value, type_, ArgumentTypeError, f"Invalid argument `{key}`:")
        arguments[key] = value
    return arguments, found


@cache
def _global_arguments() -> list[tuple[str, Any, Any]]:
    """Name, type and pyinfra's own description of each."""
    known = pyinfra.api.arguments.all_argument_meta
    return [(key, type_, known[key]) for key, type_ in pyinfra.api.arguments.all_global_arguments()]


def _refuse(prompt: str = "") -> NoReturn:
    raise ConnectError(f"would ask: {prompt.strip().rstrip(':')}")
