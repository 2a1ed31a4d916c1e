"""What the first link of a proof makes of the answers that it gets at Ollama's address."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from tests.helpers.webserver import OK, Say, body

SCRIPTS = files("fleethands.operations.proof")
PARTS = ("1-record", "2-why-elsewhere", "2-why", "3-ollama")
ROW = '{"name":"%s","model":"%s","size":1,"digest":"00","details":{"family":"llama"}}'


def listed(*names: str) -> str:
    return '{"models":[' + ",".join(ROW % (name, name) for name in names) + "]}"


def status(line: str, text: str = "") -> Say:
    words = f"HTTP/1.1 {line}\r\nContent-Length: {len(text)}\r\n\r\n{text}"
    return lambda client: client.sendall(words.encode())


def cut(client: socket.socket) -> None:
    """Less than it announces."""
    client.sendall(OK + b"Content-Length: 900\r\n\r\n" + listed("codellama:7b").encode())


def said(place: Path, url: str, **more: str) -> str:
    values = {
        "model": "codellama:7b", "local_url": url, "record": str(place / "record"), "apply": "apply", "request": "{}",
        "gpu": "no", "elsewhere": "", "place": "on the host", "restart": "restart", "said_by_ollama": "look",
        "port_of_ollama": url.rpartition(":")[2], "context": "", "least": "0", "openhands": "no", "tools": "no",
        **dict.fromkeys(("container", "ollama_image", "entry", "shift", "records", "kept", "run"), "x"), **more,
    }  # fmt: skip
    known = "\n".join(f"{name}='{value}'" for name, value in values.items())
    parts = [SCRIPTS.joinpath(f"{name}.sh").read_text() for name in PARTS]
    text = "\n".join([known, *parts, 'prove_list || true; printf %s "$seen"'])
    done = subprocess.run(["sh", "-eu", "-c", text], capture_output=True, text=True, timeout=40, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (body(listed("tiny:latest", "codellama:7b")), "list\tok\t"),
        (body(listed("CodeLlama:7B")), "list\tok\t"),
        (body(listed("codellama:7b-code", "mycodellama:7b")), "Ollama has no model codellama:7b\tapply"),
        (body(listed()), "Ollama has no model codellama:7b\tapply"),
        (body('{"models":[{"name":"x","note":"\\"name\\":\\"codellama:7b\\""}]}'), "Ollama has no model codellama:7b"),
        (body("<html>welcome</html>"), "is no Ollama\ton the host: ss -ltnp"),
        (status("404 Not Found", "404 page not found"), "is no Ollama\t"),
        (status("403 Forbidden"), "Ollama refuses the request (403)"),
        (status("500 Internal Server Error", '{"error":"broken"}'), "no answer to the question which models it has: {"),
        (cut, "no answer to the question which models it has: "),
        (body(listed("codellama:7b") + " " * (4 << 20)), "is longer than 4 MiB"),
    ],
)
def test_each_answer_is_told_from_the_others(
    answer: Say, words: str, tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    assert words in said(tmp_path, serve(answer))
