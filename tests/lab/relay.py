"""A second way into the lab's registry: plain HTTP, or a proxy that tunnels TLS and logs its clients."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Relay(socketserver.ThreadingTCPServer):
    """
    Passes connections to `target` (a Unix socket, or an address), byte for byte.

    + proxy: each connection begins with a CONNECT, which is answered first and kept in `asked`
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: str, target: Path | tuple[str, int], *, proxy: bool = False) -> None:
        self.target, self.proxy = target, proxy
        self.asked: list[str] = []
        super().__init__((address, 0), _Passage)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @contextmanager
    def open(self) -> Iterator[Relay]:
        """For the time of a `with`."""
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join()

    def connect(self) -> socket.socket:
        """A connection to the real server."""
        if isinstance(self.target, tuple):
            return socket.create_connection(self.target, 10)
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(self.target))
        return far


class _Passage(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        if self.server.proxy:
            self._answer_connect()
        with self.server.connect() as far:
            back = threading.Thread(target=_pour, args=(far, self.request), daemon=True)
            back.start()
            _pour(self.request, far)
            back.join()

    def _answer_connect(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (byte := self.request.recv(1)):
                return
            head += byte
        self.server.asked.append(head.decode().split("\r\n")[0])
        self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
