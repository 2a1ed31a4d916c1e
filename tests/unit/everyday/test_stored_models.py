"""The models of a host: its own script reads a store on this machine, without Ollama."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fleethands.cli.output import models_table
from fleethands.everyday.ask_hosts import Answer
from fleethands.everyday.stored_models import ModelInventory, parse_store, store_script
from fleethands.settings import HostSettings, read_fleet

LIBRARY = "manifests/registry.ollama.ai/library"
MARK = "@@0123"


def settings(**data: Any) -> HostSettings:
    host = {
        "ollama_host": "127.0.0.1:9",  # nothing answers there
        "openhands_flavor": "off",
        "models": ["small"],
        **data,
    }
    return read_fleet({"box": host})["box"]


def blob(store: Path, name: str, size: int) -> dict[str, Any]:
    digest = hashlib.sha256(name.encode()).hexdigest()
    place = store / "blobs" / f"sha256-{digest}"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"x" * size)
    return {"digest": f"sha256:{digest}", "size": size}


def model(store: Path, name: str, *layers: dict[str, Any]) -> str:
    """Writes a manifest; gives the digest of the model."""
    place = store / LIBRARY / name / "latest"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"config": blob(store, f"config {name}", 10), "layers": layers}))
    return hashlib.sha256(place.read_bytes()).hexdigest()


def answer(wanted: HostSettings, store: Path) -> list[str]:
    script = store_script(wanted, MARK).with_values(models_dir=str(store))
    done = subprocess.run(["sh", "-s"], input=script.text, capture_output=True, text=True, check=True, timeout=300)
    first, *body, last = done.stdout.splitlines()
    assert (first, last) == (f"{MARK} begin", f"{MARK} end 0")
    return body


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with two models that share a blob of 1000 bytes, and with blobs that no model uses."""
    shared = blob(tmp_path, "shared", 1000)
    model(tmp_path, "small", shared)
    model(tmp_path, "large", shared, blob(tmp_path, "more", 5000))
    blob(tmp_path, "stray", 300)
    (tmp_path / "blobs" / f"sha256-{'a' * 64}-partial").write_bytes(b"x" * 70)
    return tmp_path


def test_sizes_count_each_blob_once(store: Path) -> None:
    wanted = settings()
    found = parse_store(wanted, [*answer(wanted, store), f"loaded {encode({'models': []})}"])

    assert {each.name: each.size for each in found.models} == {"small:latest": 1010, "large:latest": 6010}
    assert (found.size, found.unused, found.unreferenced, found.unfinished) == (6390, 5010, 300, 70)


def test_a_model_is_unused_if_it_is_neither_declared_nor_loaded(store: Path) -> None:
    wanted = settings(models=["small", "gone"])
    body = answer(wanted, store)
    silent = parse_store(wanted, body)
    idle = parse_store(wanted, [*body, f"loaded {encode({'models': []})}"])
    at_work = parse_store(wanted, [*body, f"loaded {encode({'models': [{'name': 'large:latest', 'size': 1}]})}"])

    assert "silent" in body
    assert states(silent) == {
        "gone:latest": "declared, missing",
        "large:latest": "not declared, Ollama does not answer",
        "small:latest": "declared, Ollama does not answer",
    }
    assert states(idle)["large:latest"] == "unused"
    assert (states(at_work)["large:latest"], at_work.unused) == ("not declared, loaded", 0)


def test_the_digest_is_that_of_the_manifest(store: Path) -> None:
    wanted = settings()
    digest = model(store, "small", blob(store, "shared", 1000))

    (found,) = (each for each in parse_store(wanted, answer(wanted, store)).models if each.name == "small:latest")

    assert found.digest == digest


def test_what_is_no_manifest_is_skipped(store: Path) -> None:
    folder = store / LIBRARY / "odd"
    folder.mkdir()
    (folder / "text").write_text("no JSON")
    (folder / "list").write_text("[1]")
    (folder / "negative").write_text('{"config": {"digest": "a", "size": -1}, "layers": []}')
    (folder / "endless").write_bytes(b"[" * 70_000)
    (folder / "link").symlink_to("/etc/shadow")
    os.mkfifo(folder / "fifo")
    wanted = settings()

    assert {each.name for each in parse_store(wanted, answer(wanted, store)).models} == {"small:latest", "large:latest"}


def test_a_store_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    wanted = settings()

    assert parse_store(wanted, answer(wanted, tmp_path / "none")).size == 0


@pytest.mark.parametrize("row", ["blob x sha256-a", "blob 5", "manifest a b c", "loaded x", "blob -1 a", "tags !"])
def test_a_damaged_answer_is_an_error(row: str) -> None:
    with pytest.raises((ValueError, LookupError, TypeError)):
        parse_store(settings(), [row])


def test_a_list_of_an_external_ollama_has_sizes() -> None:
    wanted = settings(ollama_runtime="external", ollama_address="http://10.0.0.9:11434")
    listed = {"models": [{"name": "small:latest", "size": 5, "digest": "b" * 64}, {"name": "\x1b[31m", "size": 1}]}

    found = parse_store(wanted, [f"tags {encode(listed)}", f"loaded {encode({'models': None})}"])

    assert [(each.name, each.size) for each in found.models] == [("small:latest", 5)]


def states(found: ModelInventory) -> dict[str, str]:
    """The state of each model, as the table shows it."""
    rows = list(models_table.lines({"box": Answer(found)}))
    rows = rows[2 : rows.index("")]
    return {row.split()[0]: row.removesuffix("box").split("B ")[-1].rpartition("  - ")[2].strip() for row in rows}


def encode(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()
