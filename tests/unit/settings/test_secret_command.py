"""Secrets that a command prints: run without a shell, once in a process, and never shown."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fleethands.report.redaction import Mask
from fleethands.settings import Secret, SettingsError, read_fleet
from fleethands.settings.serialize import UndeclaredPlaces, from_json, to_json
from fleethands.settings.values import secret_command
from fleethands.settings.values.secret import MASK
from tests.helpers.checkout import ROOT
from tests.hosts import declared


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_command, "_answers", {})


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A secret store: it prints a value, and notes each run with its arguments."""
    path = tmp_path / "store"
    path.write_text(f'#!/bin/sh\necho "$#:$*" >> {tmp_path}/runs\necho hunter2\n')
    path.chmod(0o755)
    return path


def runs(store: Path) -> list[str]:
    return (store.parent / "runs").read_text().splitlines()


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("printf 'a b'", "a b"),
        (["printf", "a b"], "a b"),
        ("printf 'a\\n'", "a"),
        ("printf 'a\\r\\n\\n'", "a\r\n"),
        ("echo $HOME | cat", "$HOME | cat"),
        (["echo", "`id`; true"], "`id`; true"),
    ],
)
def test_the_value_is_the_output_of_a_program_without_a_shell(words: Any, value: str) -> None:
    assert Secret.command(words).reveal() == value


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["sh", "-c", "echo hunter2; printf 'sign\\033[2J in\\nfirst' >&2; exit 3"], "exited with 3: sign in first"),
        ("no-such-program x", "cannot run `no-such-program`: No such file or directory"),
        ("", "cannot run ``: it is empty"),
        ("a 'b", "cannot run `a 'b`: no closing quotation"),
        ("true", "`true` printed nothing"),
        ("printf 'hunter2\\377'", "printed bytes that are not text in UTF-8"),
        (["sh", "-c", "yes hunter2"], "printed more than 65536 bytes"),
        (["sh", "-c", "sleep 30 & echo hunter2"], "another program still holds its output open"),
    ],
)
def test_a_command_that_fails_is_named_without_its_output(words: Any, problem: str) -> None:
    with pytest.raises(ValueError, match="`") as caught:
        Secret.command(words).reveal()

    assert problem in str(caught.value)
    assert "hunter2" not in str(caught.value).removeprefix(f"`{Secret.command(words).place}`")
    assert caught.value.__context__ is None


def test_long_messages_are_cut() -> None:
    with pytest.raises(ValueError, match="exited with 1") as caught:
        Secret.command(["sh", "-c", "yes long | head -c 1000000 >&2; exit 1"]).reveal()

    assert len(str(caught.value)) < 700


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_command, "TIMEOUT", 0.3)

    with pytest.raises(ValueError, match="`sleep 60` did not end within 0 s"):
        Secret.command("sleep 60").reveal()


def test_hosts_in_parallel_run_a_command_once(store: Path) -> None:
    secrets = [Secret.command(f"{store} read 'a b'") for _ in range(16)]

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(Secret.reveal, secrets)) == {"hunter2"}
    assert Secret.command(f"{store} other").reveal() == "hunter2"
    assert runs(store) == ["2:read a b", "1:other"]


def test_a_command_that_fails_runs_once_for_all_hosts(store: Path) -> None:
    store.write_text(store.read_text() + "exit 1\n")
    data = {"models": ["m"], "openhands_env": {"TOKEN": Secret.command(str(store))}}

    with pytest.raises(SettingsError, match="exited with 1") as caught:
        read_fleet({f"host-{number}": data for number in range(20)})

    assert len(caught.value.mistakes) == 20
    assert len(runs(store)) == 1


def test_the_value_is_masked_everywhere(store: Path) -> None:
    secret = Secret.command(str(store))
    settings = declared(ollama_env={"OLLAMA_API_KEY": secret}, openhands_env={"TOKEN": secret})

    assert settings.ollama_environment["OLLAMA_API_KEY"] == "hunter2"
    assert "OLLAMA_API_KEY" in settings.ollama_secrets
    assert Mask.from_settings([settings]).text("x hunter2 y aHVudGVyMg== z") == f"x {MASK} y {MASK} z"
    assert "hunter2" not in repr(settings) + str(to_json(settings))


def test_a_record_holds_the_command_and_decides_nothing(store: Path) -> None:
    today = declared(openhands_env={"TOKEN": Secret.command(str(store))})
    record = to_json(today)

    assert record["openhands_env"] == {"TOKEN": {"secret": "command", "place": str(store)}}
    assert from_json(record, today)["openhands_env"] == {"TOKEN": Secret.command(str(store))}
    record["openhands_env"]["TOKEN"]["place"] = "touch /tmp/owned"
    with pytest.raises(UndeclaredPlaces, match=r"Secret\.command"):
        from_json(record, today)


@pytest.mark.parametrize("patched", ["import pyinfra_cli", "pass"])
def test_it_works_with_and_without_the_engine_of_pyinfra(patched: str, store: Path) -> None:
    script = f"from fleethands.settings import Secret\n{patched}\nprint(Secret.command({str(store)!r}).reveal())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "hunter2\n"
