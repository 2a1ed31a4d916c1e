"""SSH servers on loopback with host keys of their own, and `fleethands trust` of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.helpers.checkout import ROOT

SERVER = """
import socket, sys, threading
from paramiko import PKey, ServerInterface, Transport

keys = [PKey.from_path(path) for path in sys.argv[1:]]
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    transport = Transport(listener.accept()[0])
    for key in keys:
        transport.add_server_key(key)
    transport.start_server(event=threading.Event(), server=ServerInterface())
"""


def key(place: Path, kind: str) -> Path:
    """A host key of its own, made by ssh-keygen; paramiko 4.0 reads some of those without a comment as empty."""
    path = place / kind
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", kind, "-f", path], check=True)
    return path


def trust(
    place: Path, port: int, *words: str, answer: str | None = None, **data: Any
) -> subprocess.CompletedProcess[str]:
    """`fleethands trust` of one host on loopback."""
    host = {"ssh_hostname": "127.0.0.1", "ssh_port": port, "ssh_known_hosts_file": f"{place}/ssh/known_hosts", **data}
    (place / "fleet.py").write_text(f"boxes = [('box', {host!r}), ('@local', {{}})]\n")
    return subprocess.run(
        [sys.executable, "-c", "from fleethands.cli.main import main; main()", "trust", f"{place}/fleet.py", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(place)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def public(path: Path) -> str:
    """Type and key, as known_hosts has them."""
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def fingerprint(path: Path) -> str:
    """As ssh-keygen itself shows it."""
    words = subprocess.run(["ssh-keygen", "-lf", path], check=True, capture_output=True, text=True).stdout.split()
    return f"{words[0]} {words[1]} {words[-1]}"
