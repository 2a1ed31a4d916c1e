"""A server on loopback that accepts connections and never prints anything, so that an SSH client waits."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class SilentServer:
    """+ listener: its socket"""

    listener: socket.socket

    @property
    def host(self) -> str:
        """The name of a host that is this server."""
        return f"root@127.0.0.1:{self.listener.getsockname()[1]}"

    def wait_for_client(self) -> socket.socket:
        """The connection of the next client."""
        return self.listener.accept()[0]


@contextmanager
def silent_server() -> Iterator[SilentServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        yield SilentServer(listener)
