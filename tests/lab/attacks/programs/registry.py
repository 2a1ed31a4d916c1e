"""STAND-IN of an npm registry: it delivers archives that are not upstream's, and notes which users ask it.

Its arguments: a package-lock.json, whose packages it has, and the file for its notes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import tarfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import unquote

PORT = 4873
ESTABLISHED = "01"  # a state of a socket, as /proc/net/tcp has it
PROGRAM = "console.log('OWNED by ' + process.getuid());\n"


def versions() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for place, package in json.loads(Path(sys.argv[1]).read_text())["packages"].items():
        if place:
            found.setdefault(place.rpartition("node_modules/")[2], set()).add(package["version"])
    return found


def archive(name: str, version: str) -> bytes:
    """A package whose programs are the attacker's."""
    about = {"name": name, "version": version, "scripts": {"install": "node bin/agent-canvas.mjs"}}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for path, text in (("package.json", json.dumps(about)), ("bin/agent-canvas.mjs", PROGRAM)):
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


def asker(port: int) -> str:
    """The user whose socket has this port on this host. Of one closed meanwhile the kernel says 0, or nothing."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return next((f"{row[7]}\n" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == ESTABLISHED), "")


class Registry(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with Path(sys.argv[2]).open("a") as notes:
            notes.write(asker(self.client_address[1]))
        name, slash, file = unquote(self.path).lstrip("/").partition("/-/")
        body = archive(name, file) if slash else self.packument(name)
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def packument(self, name: str) -> bytes:
        known = {}
        for version in VERSIONS.get(name, ()):
            packed = archive(name, version)
            integrity = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
            dist = {"tarball": f"http://127.0.0.1:{PORT}/{name}/-/{version}", "integrity": integrity}
            known[version] = {"name": name, "version": version, "dist": dist}
        return json.dumps({"name": name, "versions": known}).encode() if known else b""


VERSIONS = versions()
HTTPServer(("127.0.0.1", PORT), Registry).serve_forever()
