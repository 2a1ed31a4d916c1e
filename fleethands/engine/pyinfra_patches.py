"""
The functions of pyinfra 3.10 and paramiko that this process replaces, each with its reason and its place upstream.

tests/unit/engine/test_engine.py fails when a new release changes one of these places.
"""

from __future__ import annotations

import hmac
import sys
from collections.abc import Iterable
from functools import cache, lru_cache
from types import FrameType
from typing import Any, NoReturn, get_type_hints

import paramiko.client
import paramiko.packet
import paramiko.util
import pyinfra.api.arguments
import pyinfra.api.util
import pyinfra.connectors.base
import pyinfra.connectors.ssh
import pyinfra.connectors.ssh_util
import pyinfra.connectors.util
from pyinfra.api import Host, Inventory, State
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.util import PYINFRA_INSTALL_DIR
from pyinfra.context import ctx_host, ctx_state

from fleethands import streams
from fleethands.engine.operation_arguments import pop_global_arguments
from fleethands.ssh.client import SshClient
from fleethands.ssh.transport import LimitedTransport


def apply() -> None:
    """Replace them all. Calling it again changes nothing."""
    cache_operation_lookup()
    read_context_once()
    merge_host_data_once()
    measure_names_once()
    streams.use_limited_streams()
    authenticate_packets_in_c()
    refuse_questions()
    connect_as_openssh()


def cache_operation_lookup() -> None:
    """
    Find the caller of an operation without reading source files.

    pyinfra tells operations apart by the lines of the stack (api/util.py, `get_operation_order_from_stack`). For each
    frame, `inspect` searches every loaded module for the source, which pyinfra then ignores. It also evaluates type
    hints for each operation (api/arguments.py, `all_global_arguments`) and for each host (connectors/base.py,
    `host_to_connector_data`), and hashes the same lines again for each host (api/operation.py,
    `solve_operation_consistency`). Without all of it, a plan over stand-ins needs a third of the time.
    """
    names = vars(sys.modules["pyinfra.api.operation"])
    names.update(make_hash=hash_lines, get_operation_order_from_stack=find_operation_order)
    pyinfra.api.arguments.get_type_hints = cache(get_type_hints)
    pyinfra.connectors.base.get_type_hints = cache(get_type_hints)


def read_context_once() -> None:
    """
    Give operations and deploys the objects of pyinfra's context.

    pyinfra gives them proxies (context.py, `ContextObject`), which look for the object at each of a hundred reads. The
    hosts of this process keep their context while an operation is prepared, and while it runs.
    """
    for name in ("operation", "deploy"):  # `pyinfra.api.deploy` is the decorator, not the module
        vars(sys.modules[f"pyinfra.api.{name}"])["context"] = CurrentContext()


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


def authenticate_packets_in_c() -> None:
    """
    Authenticate the packets of SSH with Python's functions in C.

    paramiko makes an object for each packet, and compares each byte of a digest in Python (packet.py, `compute_hmac`;
    util.py, `constant_time_bytes_eq`). Both pairs of functions take the same time for all digests.
    """
    setattr(paramiko.packet, "compute_hmac", hmac.digest)  # noqa: B010 (not exported, to the type checker)
    setattr(paramiko.util, "constant_time_bytes_eq", hmac.compare_digest)  # noqa: B010 (of another type)


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


class CurrentContext:
    """The host and the state of pyinfra's context, as the module `pyinfra.context` has them."""

    @property
    def host(self) -> Any:
        return ctx_host.get() or ctx_host.context

    @property
    def state(self) -> Any:
        return ctx_state.get() or ctx_state.context


def find_operation_order(state: State) -> list[int]:
    """The same as pyinfra's function: the lines that lead from the deploy file to the operation."""
    deploy, lines, end = state.current_deploy_filename, [], 0
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(PYINFRA_INSTALL_DIR):
            lines.append(frame.f_lineno)
        if not deploy or filename == deploy:
            end = len(lines)  # a file that is not a deploy file may call one that is
        frame = frame.f_back
    return [*([state.current_op_file_number] if pyinfra.is_cli else []), *reversed(lines[:end])]


def hash_lines(lines: Iterable[int]) -> str:
    """The hash of an operation, by the lines of its stack."""
    return _hash_lines(tuple(lines))


@lru_cache(maxsize=10_000)
def _hash_lines(lines: tuple[int, ...]) -> str:
    found: str = pyinfra.api.util.make_hash(lines)
    return found


def _refuse(prompt: str = "") -> NoReturn:
    raise ConnectError(f"would ask: {prompt.strip().rstrip(':')}")
