"""Scripts that a run sends in addition to the operations of its plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from paramiko import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import PyinfraError

from fleethands.fleet.inventory import set_ssh_defaults
from fleethands.script import SHELL, Script
from fleethands.ssh.connection import disconnect, is_connected

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine


@contextmanager
def connected(engine: Engine, name: str) -> Iterator[Any]:
    """
    A host of the inventory, connected if it can be reached. A connection that is made for this alone is closed again.

    + name: also of a host that this run did not select
    """
    host = engine.host(name)
    if is_connected(host):
        yield host
        return
    if name not in engine.names:
        set_ssh_defaults(host)
    engine.connections.open(engine.state, host)
    try:
        yield host
    finally:
        disconnect(host)


def run_side_script(engine: Engine, name: str, script: Script, timeout: float) -> list[str] | None:
    """
    The lines that a script printed, also if it failed; None from a host that cannot be reached.

    + timeout: seconds for the whole script
    """
    with connected(engine, name) as host:
        if not host.connected:
            return None
        engine.monitor.count_command(name)
        try:
            _, output = host.run_shell_command(StringCommand(SHELL), _stdin=script.text, _timeout=int(timeout))
        except (PyinfraError, OSError, EOFError, SSHException):
            return None
        return list(output.output_lines)
