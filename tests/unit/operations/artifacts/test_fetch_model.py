"""The unit that fetches a model and puts it into Ollama's store, run here against a registry."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.helpers.part_server import Site, serving
from tests.unit.operations.artifacts.unit_run import Ended, digest, run_unit

NAMES = ("owned", "blobs", "spelled", "json", "image_parts", "import_model", "fetch_model")
WEIGHTS, TEMPLATE = random.Random(1).randbytes(200_000), b"{{ .Prompt }}"
CONFIG = b'{"model_format":"gguf"}'
BLOBS = "/v2/library/tiny/blobs/"
MANIFEST_PATH = "/v2/library/tiny/manifests/latest"


def manifest(*layers: bytes, config: bytes = CONFIG) -> bytes:
    rows = [{"mediaType": "application/x", "digest": digest(each), "size": len(each)} for each in layers]
    first = {"mediaType": "application/x", "digest": digest(config), "size": len(config)}
    return json.dumps({"schemaVersion": 2, "config": first, "layers": rows}).encode()


MANIFEST = manifest(WEIGHTS, TEMPLATE)


def registry(*contents: bytes, text: bytes = MANIFEST) -> Site:
    return Site({MANIFEST_PATH: text} | {BLOBS + digest(each): each for each in contents})


def everything() -> Site:
    return registry(WEIGHTS, TEMPLATE, CONFIG)


def fetch(tmp_path: Path, site: Site, **values: str) -> Ended:
    (tmp_path / "marker").write_text("tiny:latest\n")
    with serving(site):
        defaults = {
            "name": "tiny:latest", "what": "model tiny:latest", "marker": str(tmp_path / "marker"),
            "manifest": str(stored_manifest(tmp_path)), "digest": "", "models_dir": str(tmp_path / "models"),
            "manifest_url": site.url + MANIFEST_PATH, "renewal": "pin it: digest ",
        }  # fmt: skip
        return run_unit(tmp_path, NAMES, **{**defaults, **values})


def stored_manifest(tmp_path: Path) -> Path:
    return tmp_path / "models/manifests/registry.ollama.ai/library/tiny/latest"


def blob(tmp_path: Path, content: bytes) -> Path:
    return tmp_path / "models/blobs" / digest(content).replace(":", "-")


def test_a_model_is_in_the_store_with_its_manifest(tmp_path: Path) -> None:
    done = fetch(tmp_path, everything())

    assert (done.outcome, done.done) == ("", True)
    assert stored_manifest(tmp_path).read_bytes() == MANIFEST
    assert [blob(tmp_path, each).read_bytes() for each in (WEIGHTS, TEMPLATE, CONFIG)] == [WEIGHTS, TEMPLATE, CONFIG]
    assert {path.stat().st_mode & 0o777 for path in (stored_manifest(tmp_path), blob(tmp_path, WEIGHTS))} == {0o644}
    assert list(done.store.iterdir()) == []
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["fetch.lock", "models", "state"]
    assert len(list((tmp_path / "models/blobs").iterdir())) == 3


def test_a_blob_that_the_store_has_is_not_downloaded(tmp_path: Path) -> None:
    blob(tmp_path, WEIGHTS).parent.mkdir(parents=True)
    blob(tmp_path, WEIGHTS).write_bytes(WEIGHTS)
    site = everything()

    fetch(tmp_path, site)

    assert BLOBS + digest(WEIGHTS) not in site.paths()
    assert stored_manifest(tmp_path).exists()


@pytest.mark.parametrize("content", [WEIGHTS, TEMPLATE, CONFIG], ids=["weights", "template", "config"])
def test_a_damaged_blob_of_the_store_is_replaced(content: bytes, tmp_path: Path) -> None:
    blob(tmp_path, content).parent.mkdir(parents=True)
    blob(tmp_path, content).write_bytes(b"?" + content[1:])

    done = fetch(tmp_path, everything())

    assert done.outcome == ""
    assert blob(tmp_path, content).read_bytes() == content


@pytest.mark.parametrize("content", [WEIGHTS, TEMPLATE, CONFIG], ids=["weights", "template", "config"])
def test_no_manifest_is_written_over_wrong_bytes(content: bytes, tmp_path: Path) -> None:
    site = everything()
    site.files[BLOBS + digest(content)] = b"?" + content[1:]

    done = fetch(tmp_path, site)

    assert f"has other bytes than its digest {digest(content)}" in done.outcome
    assert not stored_manifest(tmp_path).exists()
    assert not blob(tmp_path, content).exists()
    assert not (tmp_path / "marker").exists()


def test_a_pinned_model_needs_no_registry_once_its_parts_were_delivered(tmp_path: Path) -> None:
    store = tmp_path / "state/artifacts"
    store.mkdir(parents=True)
    for each in (MANIFEST, WEIGHTS, TEMPLATE, CONFIG):
        (store / digest(each).replace(":", "-")).write_bytes(each)
    site = Site({})

    done = fetch(tmp_path, site, digest=digest(MANIFEST).removeprefix("sha256:"))

    assert (done.outcome, site.asked) == ("", [])
    assert stored_manifest(tmp_path).read_bytes() == MANIFEST


def test_a_bundle_says_what_a_tag_stands_for(tmp_path: Path) -> None:
    store = tmp_path / "state/artifacts"
    store.mkdir(parents=True)
    for each in (MANIFEST, WEIGHTS, TEMPLATE, CONFIG):
        (store / digest(each).replace(":", "-")).write_bytes(each)
    (store / "names").write_text(f"image tiny:latest {digest(CONFIG)}\nmodel tiny:latest {digest(MANIFEST)}\n")

    assert fetch(tmp_path, Site({})).outcome == ""
    assert stored_manifest(tmp_path).read_bytes() == MANIFEST


def test_a_moved_tag_is_refused_before_anything_is_downloaded(tmp_path: Path) -> None:
    site = everything()

    done = fetch(tmp_path, site, digest="0" * 64)

    assert done.outcome.splitlines()[:2] == [
        f"error: the tag tiny:latest moved: the registry has {digest(MANIFEST)[7:]}, pinned is {'0' * 64}",
        f"hint: if the new one is wanted, pin it: digest {digest(MANIFEST)[7:]}",
    ]
    assert site.paths() == [MANIFEST_PATH]


@pytest.mark.parametrize(
    "text",
    [
        b"<html>",
        b"{}",
        b'{"layers":[]}',
        manifest(WEIGHTS).replace(b"sha256:", b"sha512:"),
        manifest(WEIGHTS).replace(b'"size": 200000', b'"size": -5'),
        manifest(WEIGHTS).replace(b'"size": 200000', b'"size": 99999999999999999999'),
        manifest(WEIGHTS).replace(b'"size": 200000', b'"size": "$(id)"'),
        b"[" * 5000,
    ],
)
def test_a_manifest_that_is_none_is_refused(text: bytes, tmp_path: Path) -> None:
    done = fetch(tmp_path, registry(WEIGHTS, CONFIG, text=text))

    assert done.outcome.startswith("error: the registry sends no manifest of tiny:latest that fleethands can read")
    assert not (tmp_path / "models/manifests").exists()


def test_a_manifest_without_an_end_is_refused(tmp_path: Path) -> None:
    done = fetch(tmp_path, registry(text=b" " * 70_000))

    assert done.outcome.startswith("error: the registry sends more than 64 KiB as manifest of tiny:latest")


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [([404], "the registry has no model tiny:latest"), ([401], "the registry refuses tiny:latest: it answers 401")],
)
def test_a_registry_that_has_not_the_model_is_named(statuses: list[int], reason: str, tmp_path: Path) -> None:
    site = everything()
    site.statuses[MANIFEST_PATH] = statuses

    assert fetch(tmp_path, site).outcome.startswith(f"error: {reason}")


def test_the_next_unit_continues_where_a_killed_one_ended(tmp_path: Path) -> None:
    site = everything()
    site.cut[BLOBS + digest(WEIGHTS)] = 0
    fetch(tmp_path, site, tries="1")
    store = tmp_path / "state/artifacts"
    (store / f"{digest(WEIGHTS).replace(':', '-')}.part").write_bytes(WEIGHTS[:150_000])
    again = everything()

    done = fetch(tmp_path, again)

    assert done.outcome == ""
    assert again.sent <= 50_000 + len(MANIFEST) + len(CONFIG) + len(TEMPLATE)


def test_a_link_in_place_of_a_blob_is_not_taken_back(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("root's")
    swap = f'as_owner() {{ shift 2; case "$*" in *handover*) ln -sfT {victim} "$5"; return 1 ;; esac; "$@"; }}\n'

    done = fetch(tmp_path, everything(), extra=swap)

    assert "cannot move a blob" in done.outcome
    assert [each.name for each in done.store.iterdir() if each.is_symlink()] == []
    assert victim.read_text() == "root's"


@pytest.mark.parametrize("has_space", [True, False])
def test_a_blob_is_taken_back_as_another_file(has_space: bool, tmp_path: Path) -> None:
    """Ollama's user may have the first one open."""
    refuse = f'as_owner() {{ shift 2; case "$*" in *handover*) ln "$5" {tmp_path}/open; return 1 ;; esac; "$@"; }}\n'
    if not has_space:
        refuse = refuse.replace("return 1", "free_bytes() { echo 0; }; return 1")

    done = fetch(tmp_path, everything(), extra=refuse)

    assert "cannot move a blob" in done.outcome
    parts = [each for each in done.store.iterdir() if each.name.endswith(".part")]
    assert [each.samefile(tmp_path / "open") for each in parts] == ([False] if has_space else [])
    assert [each.read_bytes() for each in parts] == [(tmp_path / "open").read_bytes()] * len(parts)
