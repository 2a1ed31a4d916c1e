"""What the probe reads from Ollama's API, with the tools of GNU and of busybox; the server is a stand-in."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fleethands.facts.ollama import Ollama, parse_ollama
from tests.answers import probe_parts

BUSYBOX = Path("/bin/busybox")
TOOLS = ["gnu", pytest.param("busybox", marks=pytest.mark.skipif(not BUSYBOX.exists(), reason="no busybox here"))]
SHOWN = (
    rb'{"license":"\"capabilities\":[\"tools\"]","model_info":{"llama.context_length":16384},'
    rb'"projector":{"clip.context_length":77},"capabilities":["completion","tools"]}'
)


class Api(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        known = self.answers.get(self.path)
        self.send_response(404 if known is None else 200)
        self.end_headers()
        self.wfile.write(known or b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def read(place: Path, tools: str, url: str, model: str) -> list[str]:
    """What the section prints; a last line has its status if that is not 0."""
    path = os.environ["PATH"]
    if tools == "busybox":
        for name in ("grep", "head", "base64", "tr"):
            (place / name).symlink_to(BUSYBOX)
        path = f"{place}:{path}"
    head = f"elsewhere= asked_model={model} ollama_container=none ollama_url={url} LC_ALL=C\nexport LC_ALL\n"
    program = f"{head}{probe_parts('ollama')}\nread_ollama || echo status $?"
    shell = [str(BUSYBOX), "sh"] if tools == "busybox" else ["dash"]
    done = subprocess.run(
        [*shell, "-c", program], capture_output=True, text=True, timeout=30, check=True, env={"PATH": path}
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("tools", TOOLS)
def test_the_version_and_the_model_come_with_one_curl(tmp_path: Path, url: str, tools: str) -> None:
    Api.answers = {"/api/version": b'{"version": "0.24.0"}\n', "/api/show": SHOWN}

    assert parse_ollama(read(tmp_path, tools, url, "codellama:7b")) == Ollama("0.24.0", True, 16384)


@pytest.mark.parametrize("tools", TOOLS)
@pytest.mark.parametrize(
    ("shown", "model", "known"),
    [
        (None, "codellama:7b", Ollama("0.24.0")),  # the model is missing
        (b'{"capabilities":["completion"]}', "codellama:7b", Ollama("0.24.0", False)),
        (b"x" * 4_300_000, "codellama:7b", Ollama("0.24.0")),
        (SHOWN, "", Ollama("0.24.0")),
    ],
)
def test_a_model_that_is_not_told_leaves_the_version(
    tmp_path: Path, url: str, tools: str, shown: bytes | None, model: str, known: Ollama
) -> None:
    Api.answers = {"/api/version": b'{"version":"0.24.0"}', **({} if shown is None else {"/api/show": shown})}

    assert parse_ollama(read(tmp_path, tools, url, model)) == known


@pytest.mark.parametrize("model", ["codellama:7b", ""])
def test_without_a_version_there_is_no_answer(tmp_path: Path, url: str, model: str) -> None:
    Api.answers = {"/api/show": SHOWN}
    assert read(tmp_path, "gnu", url, model) == ["status 1"]

    Api.answers = {"/api/version": b"x" * 70_000, "/api/show": SHOWN}
    assert read(tmp_path, "gnu", url, model) == ["status 1"]
    assert read(tmp_path, "gnu", "http://127.0.0.1:9", model) == ["refused"]


def test_a_version_of_many_megabytes_takes_no_time(tmp_path: Path, url: str) -> None:
    for body in (b"x" * 5_000_000, b"\n" * 5_000_000):
        Api.answers = {"/api/version": body}
        begin = time.monotonic()
        assert read(tmp_path, "gnu", url, "codellama:7b") == ["status 1"]
        assert time.monotonic() - begin < 20
