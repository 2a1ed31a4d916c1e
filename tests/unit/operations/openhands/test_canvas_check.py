"""What the scripts make of Canvas' answers: a check of its own that is too short, a profile that is not used."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from tests.helpers.webserver import OK, Say

SCRIPTS = files("fleethands.operations")
VALID, INVALID = b'{"valid":true}', b'{"valid":false,"error":"Timeout"}'


def answering(*answers: tuple[float, bytes]) -> Say:
    """A server that gives these answers in turn, each after its number of seconds."""
    left = list(answers)

    def say(client: socket.socket) -> None:
        pause, text = left.pop(0)
        time.sleep(pause)
        client.sendall(OK + b"Content-Length: %d\r\n\r\n%b" % (len(text), text))

    return say


def checked(place: Path, canvas: str, ollama: str) -> str:
    """What the link prints about a check that Canvas gives a second."""
    values = {
        "model": "codellama:7b", "local_url": ollama, "validation": "{}", "validate_url": f"{canvas}/validate",
        "key_file": "", "limit_check": "1", "warm": "{}", "words": "look", "smaller": "less",
        "record": str(place / "record"), "apply": "apply",
        **dict.fromkeys(("container", "entry", "shift", "records", "kept", "run"), "x"),
    }  # fmt: skip
    known = "\n".join(f"{name}='{value}'" for name, value in values.items())
    first, fourth = (SCRIPTS.joinpath(f"proof/{name}.sh").read_text() for name in ("1-record", "4-openhands"))
    functions = "\n".join(line for line in fourth.split("\n") if not line.startswith(': "${')).partition("\nif [")[0]
    text = "\n".join([known, first, functions, 'prove_own_check; printf %s "$seen"'])
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(0, VALID)], "\tok\t"),
        ([(1.1, INVALID), (0, VALID)], "\tok\t"),
        (
            [(1.1, INVALID), (1.1, INVALID)],
            "codellama:7b is loaded, and did not answer OpenHands' own check within 1 s",
        ),
        ([(0, INVALID)], "OpenHands gets no answer from codellama:7b"),
    ],
)
def test_a_check_that_was_too_short_is_made_once_more(
    answers: list[tuple[float, bytes]], said: str, tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    warm = serve(answering(*[(0, b"{}")] * len(answers)))

    assert said in checked(tmp_path, serve(answering(*answers)), warm)


@pytest.mark.parametrize(("applied", "told"), [(b'{"llm_applied":false}', True), (b'{"llm_applied":true}', False)])
def test_a_profile_that_is_not_used_is_told(
    applied: bytes, told: bool, tmp_path: Path, serve: Callable[[Say], str]
) -> None:
    (tmp_path / "key").write_text("LOCAL_BACKEND_API_KEY=x\n")
    values = {"url": serve(answering((0, b"{}"), (0, applied))), "key_file": str(tmp_path / "key"), "profile": "{}"}
    values |= {"name": "default", "seed": "{}", "seed_path": str(tmp_path / "seed"), "words": "look"}
    known = "\n".join(f"{name}='{value}'" for name, value in values.items())
    parts = [known, 'fail() { echo "error: $1"; exit 1; }', 'atomic_file() { cat >"$1"; }']
    text = "\n".join([*parts, SCRIPTS.joinpath("openhands/choose_canvas.sh").read_text()])

    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0, done.stdout
    assert ("note: OpenHands took the profile default, and does not use it" in done.stdout) is told
    assert (tmp_path / "seed").read_text() == "{}"
