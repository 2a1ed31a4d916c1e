"""A server that takes webhooks, and checks their signatures."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Receiver:
    """
    A server for webhooks.

    + statuses: of its next answers; 200 after them
    """

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.signatures: list[str | None] = []
        self.statuses: list[int] = []
        self.url = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def is_signed_with(self, key: str) -> bool:
        """Whether each webhook has the signature of its body."""
        wanted = [hmac.new(key.encode(), body, hashlib.sha256).hexdigest() for body in self.bodies]
        return self.signatures == [f"sha256={each}" for each in wanted]


@contextmanager
def receiving(address: str = "127.0.0.1") -> Iterator[Receiver]:
    """A server at an address of this machine."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            if status == 200:
                receiver.bodies.append(body)
                receiver.signatures.append(self.headers["X-Fleethands-Signature"])
            self.send_response(status)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer((address, 0), Handler)
    server.socket.settimeout(1)  # a client may be gone before it is accepted
    receiver.url = f"http://{address}:{server.server_port}/fleet?token=of-the-address"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield receiver
    server.shutdown()
    server.server_close()
