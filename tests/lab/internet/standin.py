"""The server that stands in for a broken address. Run by faults.py as a program of its own.

It fetches what the address would have served from nginx's inner socket, where nothing is broken, and spoils it on the
way as the fault's file says (faults.Fault).
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import socketserver
import sys
import threading
import time
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

CHUNK = 1 << 16
GIT_SERVICE = b"001e# service=git-upload-pack\n0000"
GIT_REFS = (b"0041" + b"a" * 40 + b" refs/heads/mainline\n") * 1000  # git help protocol-common
HOP = {"connection", "transfer-encoding", "keep-alive"}


class Handler(BaseHTTPRequestHandler):
    """One request to a broken address."""

    protocol_version = "HTTP/1.1"
    server: Standin

    def do_GET(self) -> None:
        """Whatever the method, the same fault."""
        self.close_connection = True
        fault = self.server.take(self.path)
        if fault.get("status"):
            challenge = {"WWW-Authenticate": f'Bearer realm="{fault["realm"]}"'} if fault.get("realm") else {}
            self._say(int(fault["status"]), b"the lab's internet was told to answer so\n", **challenge)
            return
        if fault.get("leads"):
            self._say(302, b"", Location=fault["leads"])
            return
        if fault.get("says") is not None:
            self._say(200, fault["says"].encode())
            return
        if fault.get("endless"):
            self._talk()
            return
        with closing(Origin(self.server.origin)) as origin:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            origin.request(self.command, self.path, headers=headers)
            self._pass_on(origin.getresponse(), fault)

    do_HEAD = do_GET

    def _say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _talk(self) -> None:
        """Until the client disconnects."""
        git = self.path.partition("?")[0].endswith("/info/refs")
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement" if git else "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._chunk(GIT_SERVICE if git else b" ")
        with suppress(OSError):
            while True:
                self._chunk(GIT_REFS if git else b" " * CHUNK)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _pass_on(self, answer: http.client.HTTPResponse, fault: dict[str, Any]) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        length = int(answer.getheader("Content-Length") or 0)
        start, total = _extent(answer, length)
        at, limit = start, start + _limit(fault.get("cut"), length)
        began, rate = time.monotonic(), fault.get("rate") or 0
        chunk = min(CHUNK, rate // 10 + 1) if rate else CHUNK
        while at < limit and (data := answer.read(min(chunk, limit - at))):
            spoilt = _flipped(data, total // 2 - at) if fault.get("flip") else data
            at += len(data)
            if rate:
                time.sleep(max(0.0, began + (at - start) / rate - time.monotonic()))
            self.wfile.write(spoilt)

    def log_message(self, format: str, *args: object) -> None:
        """Nginx logs."""


class Standin(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves on a Unix socket until it is killed."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, own: Path, origin: Path) -> None:
        self.faults, self.origin = own.with_name("faults"), origin
        self._counting = threading.Lock()
        super().__init__(str(own), Handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """With the address that the HTTP handler expects to log."""
        connection, _ = super().get_request()
        return connection, ("nginx", 0)

    def take(self, path: str) -> dict[str, Any]:
        """The fault of this path, one use of it spent; empty when it is over."""
        file = self.faults / path.partition("?")[0].lstrip("/")
        with self._counting:
            try:
                fault: dict[str, Any] = json.loads(file.read_text())
            except OSError:
                return {}
            if fault.get("times") is None:
                return fault
            fault["times"] -= 1
            if fault["times"] > 0:
                part = file.with_name(f"{file.name}.part")
                part.write_text(json.dumps(fault))
                part.replace(file)
            else:
                file.unlink(missing_ok=True)
            return fault


class Origin(http.client.HTTPConnection):
    """nginx's inner socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("origin", timeout=300)
        self._path = path

    def connect(self) -> None:
        """Reach the socket's file instead of a name."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _extent(answer: http.client.HTTPResponse, length: int) -> tuple[int, int]:
    """Where this answer starts in the whole content, and how long the whole is."""
    part = re.match(r"bytes (\d+)-\d+/(\d+)", answer.getheader("Content-Range") or "")
    return (int(part[1]), int(part[2])) if part else (0, length)


def _limit(cut: int | float | None, length: int) -> int:
    if cut is None:
        return length
    return int(length * cut) if isinstance(cut, float) else cut


def _flipped(data: bytes, place: int) -> bytes:
    """The data with the byte at `place` changed, if the data has that byte."""
    if not 0 <= place < len(data):
        return data
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


if __name__ == "__main__":
    Standin(Path(sys.argv[1]), Path(sys.argv[2])).serve_forever()
