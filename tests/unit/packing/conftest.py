"""A web server on loopback that has a release, and a registry with a model. It can cut an answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

WEIGHTS = b"weights" * 40_000
ARCHIVE = b"archive" * 1000
NAME = "ollama-linux-amd64.tar.zst"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Upstream:
    """
    What the server has.

    + cuts: path → bytes after which the next answer is cut, once
    + requests: path and Range of each request
    """

    files: dict[str, bytes] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    has_ranges: bool = True
    url: str = ""

    @property
    def server(self) -> str:
        return self.url.removeprefix("http://")

    def add_model(self, name: str, *blobs: bytes, config: bytes = b"{}") -> str:
        """Add a model, and return the digest of its manifest."""
        rows = [{"digest": digest_of(each), "size": len(each)} for each in (config, *blobs)]
        manifest = json.dumps({"config": rows[0], "layers": rows[1:]}).encode()
        self.files[f"/v2/team/{name}/manifests/latest"] = manifest
        self.files |= {f"/v2/team/{name}/blobs/{digest_of(each)}": each for each in (config, *blobs)}
        return digest_of(manifest)

    def add_release(self, version: str, content: bytes = ARCHIVE) -> None:
        self.files[f"/v{version}/{NAME}"] = content
        sums = f"{digest_of(content).removeprefix('sha256:')}  ./{NAME}\n"
        self.files[f"/v{version}/sha256sum.txt"] = sums.encode()

    def asked(self, end: str) -> list[str]:
        """The Range of each request for a path with that end."""
        return [ranges for path, ranges in self.requests if path.endswith(end)]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ranges = self.headers.get("Range", "")
            made.requests.append((self.path, ranges))
            content = made.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(ranges.removeprefix("bytes=").rstrip("-")) if ranges and made.has_ranges else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : made.cuts.pop(self.path, len(content))])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()
