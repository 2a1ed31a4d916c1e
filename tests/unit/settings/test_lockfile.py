"""Lockfiles are written whole, and a broken one is refused with the place of the mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleethands.settings import LockfileError, lockfile
from fleethands.settings.lockfile import Lockfile
from tests.helpers.command_line import fleethands
from tests.helpers.pins import DIGEST, OTHER_DIGEST, PINS


def test_a_lock_is_sorted_and_has_a_value_a_line(tmp_path: Path) -> None:
    path = lockfile.lockfile_path(tmp_path)

    lockfile.write_lockfile(path, PINS)

    assert lockfile.load_lockfile(path) == Lockfile(PINS, path)
    text = path.read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert [line for line in text.splitlines() if line.count(DIGEST) + line.count(OTHER_DIGEST) > 1] == []


def test_a_lock_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lockfile.lockfile_path(tmp_path)
    path.write_text("as it was")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left"):
        lockfile.write_lockfile(path, PINS)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [(path.name, "as it was")]


BROKEN = [
    ('{\n<<<<<<< HEAD\n  "schema": 1\n', ", line 2: unresolved merge conflict (`<<<<<<< HEAD`)"),
    ('{\n  "schema": 1,\n}\n', ", line 3: not JSON: "),
    ('{"schema": 1, "models": {"m": {}, "m": {}}}', ": `m` appears twice"),
    ('{"schema": 2}', ": schema 2 is newer than this fleethands, which reads 1"),
    ("[]", ": expected `schema`: 1, got null"),
    ('{"schema": 1, "model": {}}', ": `model`: no such entry"),
    ('{"schema": 1, "images": {"i": "sha256:12"}}', ": `images.i`: expected a sha256 in lower-case hex digits"),
    (f'{{"schema": 1, "models": {{"m": {{"digest": "{DIGEST}"}}}}}}', ": `models.m.size`: field required"),
    ("[" * 100_000, ": nested too deep"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_lock_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "fleethands.lock"
    path.write_text(text)

    with pytest.raises(LockfileError) as error:
        lockfile.load_lockfile(path)

    assert str(error.value).startswith(f"{path}{said}")
    assert "\n" not in str(error.value)
    assert error.value.hints


def test_what_is_no_text_or_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "fleethands.lock").write_bytes(b"\xff\xfe")
    with pytest.raises(LockfileError, match="it is not text"):
        lockfile.load_lockfile(tmp_path / "fleethands.lock")
    with pytest.raises(LockfileError, match="Is a directory"):
        lockfile.load_lockfile(tmp_path)


def test_a_broken_lock_stops_every_way_of_running_before_a_host_is_reached(tmp_path: Path) -> None:
    fleethands("init", "boxes", cwd=tmp_path)
    (tmp_path / "boxes/fleethands.lock").write_text("<<<<<<< HEAD\n")
    line = "fleethands.lock, line 1: unresolved merge conflict (`<<<<<<< HEAD`)"
    for command in ("plan", "pin"):
        done = fleethands(command, "root@192.0.2.1", "--data", 'models=["m"]', cwd=tmp_path / "boxes")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"error: {tmp_path}/boxes/{line}\n\nhint: keep one side: `git checkout")
    stock = [
        sys.executable,
        "-c",
        "from pyinfra_cli.main import main; main()",
        "@local",
        "deploy.py",
        "--dry",
    ]
    ended = subprocess.run(stock, cwd=tmp_path / "boxes", capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"nothing was changed\n\nerror: {tmp_path}/boxes/{line}\n\nhint: keep one side: `git" in ended.stderr
