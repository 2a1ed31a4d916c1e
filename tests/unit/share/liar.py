"""A host of the site that answers as it likes."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tests.unit.share.site import Host

Answer = Callable[[str, int, int], bytes]


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def has(size: int, state: str) -> bytes:
    return answer(200, f"{size} {state}\n".encode())


def not_yet(size: int, state: str) -> bytes:
    return answer(503, b"", f"X-Have: {size}", f"X-State: {state}")


@dataclass
class Liar:
    """
    Takes the place of a host's relay.

    + says: is given the kind of a request, `have`, `part` or `pieces`, and its range; returns the bytes to send
    """

    host: Host
    says: Answer
    asked: list[str] = field(default_factory=list)

    def start(self) -> Liar:
        self._listener = socket.create_server((self.host.address, self.host.port))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        text = b""
        with connection, suppress(OSError):
            while block := connection.recv(1 << 16):
                text += block
                while b"\r\n\r\n" in text:
                    head, _, text = text.partition(b"\r\n\r\n")
                    self._answer(connection, head.decode())

    def _answer(self, connection: socket.socket, head: str) -> None:
        kind = head.split("/")[1]
        self.asked.append(kind)
        found = re.search(r"bytes=(\d+)-(\d*)", head)
        begin, end = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
        connection.sendall(self.says(kind, begin, end))
