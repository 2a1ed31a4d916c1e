"""What the probe's own lines hear of servers at an address that was given, good and bad."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import pytest

from fleethands.facts.ollama import Ollama, parse_models, parse_ollama
from fleethands.operations.ollama import external_diagnosis
from tests.helpers.webserver import Say, body, endless

VERSION = '{"version":"0.24.0"}'
PARTS = ("shell.sh", "ollama.sh", "models.sh")
FUNCTIONS = "".join(files("fleethands.facts").joinpath(part).read_text() for part in PARTS)
LEADS = b"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://ollama.example/\r\nContent-Length: 0\r\n\r\n"


def heard(section: str, url: str, model: str = "", **more: str) -> tuple[int, list[str]]:
    """Status and lines of a section of the probe."""
    values = {"mark": "x", "ollama_container": "x", "models_dir": "/nowhere", **more}
    values = {"elsewhere": "127.0.0.1", **values, "ollama_url": url, "asked_model": model}
    text = "\n".join([*(f"{name}='{value}'" for name, value in values.items()), FUNCTIONS, f"read_{section}"])
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, timeout=40, check=False)
    return done.returncode, done.stdout.splitlines()


def hangs(client: socket.socket) -> None:
    client.recv(1)


def why(url: str) -> str:
    status, lines = heard("ollama", url)
    found = parse_ollama(lines)
    assert (status, found.version) == (0, None)
    assert found.way
    return external_diagnosis.explain_no_answer(url, found.way)[0]


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[str]:
    """A server with TLS, whose certificate no authority signed."""
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    line = f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout {key} -out {certificate}"
    subprocess.run(line.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True) as server:

        def accept() -> None:
            with suppress(OSError):  # that the client does not trust it
                server.accept()

        threading.Thread(target=accept, daemon=True).start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


def test_what_a_model_takes_is_looked_for_in_little_time(serve: Callable[[Say], str]) -> None:
    answers = [body('"capabilities":[' * 250_000), body(VERSION)]

    def in_turn(client: socket.socket) -> None:
        answers.pop()(client)

    url = serve(in_turn)
    begun = time.monotonic()

    status, lines = heard("ollama", url, "codellama:7b")

    assert (status, parse_ollama(lines).version, parse_ollama(lines).tools) == (0, "0.24.0", None)
    assert time.monotonic() - begun < 15


def test_an_ollama_is_heard_with_its_models_and_what_its_model_takes(serve: Callable[[Say], str]) -> None:
    shown = '{"capabilities":["completion","tools"],"model_info":{"llama.context_length":16384}}'
    answers = [body(shown), body(VERSION)]

    def in_turn(client: socket.socket) -> None:
        answers.pop()(client)

    url = serve(in_turn)

    status, lines = heard("ollama", url, "codellama:7b")

    found = parse_ollama(lines)
    assert (status, found.version, found.tools, found.context) == (0, "0.24.0", True, 16384)
    assert found.way
    assert found.way.is_here
    tags = '{"models":[{"name":"tiny:latest","digest":"%s"}]}'
    status, lines = heard("models", serve(body(tags % ("8fdf" * 16))))
    assert (status, parse_models(lines)) == (0, {"tiny:latest": "8fdf" * 16})


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (body("<html>welcome</html>"), "what answers there is not Ollama"),
        (body('{"version":5}'), "what answers there is not Ollama"),
        (body(VERSION + " " * 9000), "what answers there is not Ollama"),
        (lambda client: client.sendall(b"SSH-2.0-OpenSSH_10.0\r\n"), "what answers there is not Ollama ("),
        (lambda client: client.sendall(LEADS), "it answers HTTP 308, and leads to https://ollama.example/"),
        (lambda client: client.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), "it wants a login"),
        (endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4096), "what answers there is not Ollama"),
        (hangs, "it takes the request, and does not answer within 5 s"),
    ],
)
def test_what_is_none_is_named(answer: Say, cause: str, serve: Callable[[Say], str]) -> None:
    assert why(serve(answer)).startswith(cause)


def test_names_ports_and_certificates_that_will_not_do(certified: str, serve: Callable[[Say], str]) -> None:
    assert why("http://missing.invalid:11434") == "the name missing.invalid is not known on this host"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert why(f"http://127.0.0.1:{port}").startswith("nothing listens there")
    assert why(serve(body(VERSION)).replace("http", "https")).startswith("it does not use TLS")
    assert why(certified).startswith("its certificate will not do (")


def test_a_list_that_does_not_come_is_not_known(serve: Callable[[Say], str]) -> None:
    assert heard("models", serve(body("x" * (2 << 20))))[0] == 1
    assert heard("models", serve(hangs))[0] == 124


def test_nothing_else_is_asked_where_ollama_is_the_hosts_own(serve: Callable[[Say], str]) -> None:
    def refusing(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")

    assert heard("models", serve(refusing), elsewhere="") == (0, [])
    assert parse_ollama(["refused"]) == Ollama()
