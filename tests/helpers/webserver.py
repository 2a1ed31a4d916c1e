"""Web servers on loopback that answer as no server should."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

Say = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HALF_A_MIB = b"80000\r\n" + b"a" * 0x80000 + b"\r\n"


def body(text: str | bytes) -> Say:
    """A server that answers so, with a length."""
    content = text.encode() if isinstance(text, str) else text
    return lambda client: client.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(content) + content)


def endless(begin: bytes, then: bytes, pause: float = 0) -> Say:
    """A server that never comes to an end."""

    def say(client: socket.socket) -> None:
        client.sendall(begin)
        while True:
            client.sendall(then)
            time.sleep(pause)

    return say
