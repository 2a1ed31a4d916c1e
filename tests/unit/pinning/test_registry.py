"""Registries are queried for digests, and their answers are untrusted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fleethands import web
from fleethands.pinning import registry
from fleethands.pinning.registry import RegistryError
from fleethands.settings.values.images import locate_image
from tests.helpers.pins import DIGEST


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ("nginx", ("registry-1.docker.io", "library/nginx", "latest")),
        ("team/app:1", ("registry-1.docker.io", "team/app", "1")),
        ("docker.io/nginx:1", ("registry-1.docker.io", "library/nginx", "1")),
        ("ghcr.io/a/b/c:main", ("ghcr.io", "a/b/c", "main")),
        ("localhost:5000/a", ("localhost:5000", "a", "latest")),
        (f"r.example/a:1@sha256:{DIGEST}", ("r.example", "a", f"sha256:{DIGEST}")),
    ],
)
def test_an_image_is_looked_for_where_docker_would(image: str, place: tuple[str, str, str]) -> None:
    assert locate_image(image) == place


class Standin(BaseHTTPRequestHandler):
    """A stand-in for a registry with anonymous tokens, as Docker Hub and ghcr.io have them."""

    realm = ""
    heard: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.heard.append((self.path, self.headers.get("Authorization")))
        if self.path.startswith("/token"):
            self._answer(200, b'{"token": "for-no-user"}')
        elif self.path == "/moved":
            self._answer(307, b"", Location="/elsewhere")
        elif self.path == "/large":
            self._answer(200, b" " * (web.MOST + 1))
        elif self.path != "/elsewhere" and self.headers.get("Authorization") != "Bearer for-no-user":
            challenge = f'Bearer realm="{self.realm}",service="s",scope="repository:a/b:pull"'
            self._answer(401, b"", **{"WWW-Authenticate": challenge})
        else:
            self._answer(200, b"here")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: no test reads it."""


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[Standin]]]:
    monkeypatch.setenv("NO_PROXY", "*")

    class Handler(Standin):
        heard: list[tuple[str, str | None]] = []  # noqa: RUF012  of this test

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    Handler.realm = f"{url}/token?account=x"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield url, Handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_registry_that_wants_an_anonymous_token_gets_one(standin: tuple[str, type[Standin]]) -> None:
    url, handler = standin

    assert registry.fetch(f"{url}/v2/a/b", "image") == b"here"
    assert handler.heard == [
        ("/v2/a/b", None),
        ("/token?account=x&service=s&scope=repository%3Aa%2Fb%3Apull", None),
        ("/v2/a/b", "Bearer for-no-user"),
    ]


@pytest.mark.parametrize("realm", ["file:///etc/passwd", "ftp://127.0.0.1/x", ""])
def test_a_registry_cannot_have_files_of_this_machine_read(standin: tuple[str, type[Standin]], realm: str) -> None:
    url, handler = standin
    handler.realm = realm

    assert registry.fetch(f"{url}/v2/a/b", "image") == RegistryError("127.0.0.1 requires a login")
    assert len(handler.heard) == 1


def test_a_token_goes_to_nobody_else(standin: tuple[str, type[Standin]]) -> None:
    url, handler = standin

    assert web.fetch(f"{url}/moved", token="for-no-user") == b"here"  # noqa: S106  made up
    assert handler.heard == [("/moved", "Bearer for-no-user"), ("/elsewhere", None)]


def test_an_endless_answer_is_none(standin: tuple[str, type[Standin]]) -> None:
    assert registry.fetch(f"{standin[0]}/large", "image") == RegistryError("127.0.0.1: sends more than 4 MiB")


def test_a_servers_words_do_nothing_to_a_terminal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as client:
                client.recv(4096)
                client.sendall(b"\x1b[2J\x1b]0;mine\x07HT\x9bTP\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        found = registry.fetch(f"http://127.0.0.1:{server.getsockname()[1]}/v2/m", "model", patience=10)
        thread.join()

    assert found == RegistryError("127.0.0.1: HT\ufffdTP")
