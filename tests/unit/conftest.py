"""Fixtures that several modules of unit tests use."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers import sshd
from tests.helpers.webserver import Say


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("keys")
    return {kind: sshd.key(place, kind) for kind in ("ed25519", "rsa")}


@pytest.fixture(scope="module")
def port(keys: dict[str, Path]) -> Iterator[int]:
    """An SSH server with a key of each type."""
    command = [sys.executable, "-c", sshd.SERVER, *map(str, keys.values())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.kill()


@pytest.fixture
def known_hosts(tmp_path: Path) -> Path:
    return tmp_path / "ssh" / "known_hosts"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Say], str]]:
    """Starts servers; gives their addresses."""
    monkeypatch.setenv("NO_PROXY", "*")
    servers = []

    def start(say: Say) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def answer(client: socket.socket) -> None:
            try:
                with client:
                    client.recv(65536)
                    say(client)
            except OSError:
                pass  # it hung up, as it should

        def accept() -> None:
            try:
                while True:
                    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
            except OSError:
                pass

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in servers:
        server.close()
