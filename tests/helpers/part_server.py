"""A web server on loopback that sends files in ranges, as registries do, and that goes wrong on request."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Site:
    """
    What the server has, and what it was asked.

    + files: path → content
    + cut: path → bytes after which each answer ends
    + statuses: path → the statuses of its first answers; later ones are as usual
    + redirects: path → address
    + ranges: whether it resumes
    + token: what a request needs for its header `Authorization`, except for /token
    """

    files: dict[str, bytes]
    cut: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    token: str = ""
    url: str = ""
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    sent: int = 0

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [path for path, _ in self.asked]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client may leave at any moment."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        site, path = self.server.site, self.path.partition("?")[0]
        site.asked.append((path, dict(self.headers)))
        if site.statuses.get(path):
            self._say(site.statuses[path].pop(0))
        elif site.token and path != "/token" and self.headers["Authorization"] != f"Bearer {site.token}":
            challenge = f'Bearer realm="{site.url}/token",service="lab",scope="repository:x:pull"'
            self._say(401, {"Www-Authenticate": challenge})
        elif path in site.redirects:
            self._say(307, {"Location": site.redirects[path]})
        elif path not in site.files:
            self._say(404)
        else:
            self._send(site.files[path], site.cut.get(path))

    def _send(self, content: bytes, cut: int | None) -> None:
        site = self.server.site
        asked = self.headers["Range"] if site.ranges else None
        begin = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        if asked and begin >= len(content):
            self._say(416)
            return
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        if self.command == "GET":
            some = content[begin : None if cut is None else begin + cut]
            site.sent += len(some)
            self.wfile.write(some)

    def _say(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """The site, with the address of its server."""
    with _Server(site) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield site
        server.shutdown()
