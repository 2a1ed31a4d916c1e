"""`fleethands bundle`, and `--bundle`: files that are no bundle are refused before any host is contacted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleethands.bundle.bundle import Bundle
from tests.helpers.bundles import CONTENTS, write
from tests.helpers.command_line import fleethands

HOST = "root@192.0.2.1"


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return write(tmp_path / "fleet.bundle")


def test_a_bundle_is_verified_and_shown(bundle: Bundle, tmp_path: Path) -> None:
    verified = fleethands("bundle", "verify", "fleet.bundle", cwd=tmp_path)
    shown = fleethands("bundle", "show", "fleet.bundle", cwd=tmp_path)
    document = json.loads(fleethands("bundle", "show", "fleet.bundle", "--json", cwd=tmp_path).stdout)

    assert (verified.returncode, verified.stderr) == (0, "")
    assert verified.stdout == f"fleet.bundle: all 4 parts are intact\nindex {bundle.index.digest}\n"
    assert (shown.returncode, "codellama:7b" in shown.stdout, bundle.index.digest in shown.stdout) == (0, True, True)
    assert (document["index"], document["hosts"], document["since"]) == (bundle.index.digest, ["gpu-1"], None)
    assert [each["size"] for each in document["artifacts"]] == [sum(map(len, CONTENTS))]


@pytest.mark.parametrize(
    "command", [["bundle", "verify"], ["plan", HOST, "--bundle"], ["apply", HOST, "--yes", "--bundle"]]
)
def test_a_damaged_bundle_is_refused_by_name(command: list[str], bundle: Bundle, tmp_path: Path) -> None:
    content = bundle.path.read_bytes()
    if command[0] != "plan":  # which reads the index alone
        bundle.path.write_bytes(content.replace(b"weights", b"Weights", 1))
        changed = fleethands(*command, "fleet.bundle", cwd=tmp_path)
        assert (changed.returncode, "error: fleet.bundle is damaged: sha256:" in changed.stderr) == (1, True)
    bundle.path.write_bytes(content[:-1000])

    cut = fleethands(*command, "fleet.bundle", cwd=tmp_path)

    assert cut.returncode == 1
    assert "error: fleet.bundle is truncated: it has" in cut.stderr
    assert "Traceback" not in cut.stderr


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["plan", HOST, "--bundle", "fleet.bundle", "--upstream"], "`--bundle` takes everything from a file"),
        (["bundle", "create", HOST, "-o", "."], "`-o .` is a directory"),
        (["bundle", "create", HOST, "-o", "a", "--since", "a"], "`-o` and `--since` name the same file"),
        (["bundle", "create", HOST, "-o", "a", "--mirror", "debian=file:///srv"], "got file://"),
        (["bundle", "create", HOST, "-o", "a", "--suite", "debian-11"], "debian-11"),
    ],
)
def test_a_wrong_command_line_exits_with_64(words: list[str], error: str, bundle: Bundle, tmp_path: Path) -> None:
    done = fleethands(*words, cwd=tmp_path)

    assert (done.returncode, error in done.stderr) == (64, True), done.stderr


def test_a_bundle_that_does_not_exist_is_named(tmp_path: Path) -> None:
    done = fleethands("plan", HOST, "--bundle", "none.bundle", cwd=tmp_path)

    assert (done.returncode, "error: cannot read none.bundle" in done.stderr) == (1, True), done.stderr


def test_nothing_is_left_of_a_create_that_failed(tmp_path: Path) -> None:
    data = [
        "--data",
        'models=["127.0.0.1:1/a/m"]',
        "--data",
        "openhands_flavor=off",
        "--data",
        f"ollama_sha256={'a' * 64}",
    ]

    done = fleethands("bundle", "create", HOST, "-o", "fleet.bundle", *data, cwd=tmp_path)

    assert done.returncode == 1
    assert "error: 127.0.0.1:1/a/m:latest: 127.0.0.1: [Errno 111] Connection refused" in done.stderr
    assert list(tmp_path.iterdir()) == []
