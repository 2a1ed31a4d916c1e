"""A bundle is created from what a server really sends: cut, wrong and moved answers included."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleethands.bundle.bundle import Bundle, part_name
from fleethands.bundle.errors import BundleError
from fleethands.packing.create import BundleRequest, Progress, create_bundle
from fleethands.packing.wanted import find_contents
from fleethands.settings import read_fleet
from fleethands.settings.lockfile import Lockfile, LockfileContents, ModelPin
from tests.unit.packing.conftest import ARCHIVE, NAME, WEIGHTS, Upstream, digest_of

Create = Callable[..., Bundle]
QUIET = Progress()


@pytest.fixture
def create(upstream: Upstream, tmp_path: Path) -> Create:
    def create(
        name: str = "fleet.bundle", pins: dict[str, ModelPin] | None = None, since: Bundle | None = None, **data: Any
    ) -> Bundle:
        host = {
            "ollama_version": "0.24.0",
            "ollama_url": upstream.url,
            "openhands_flavor": "off",
            "models": [{"name": f"{upstream.server}/team/m", "insecure": True}],
            **data,
        }
        lock = Lockfile(LockfileContents(models=pins or {}), tmp_path / "fleethands.lock")
        fleet = read_fleet({"gpu-2": host, "gpu-1": host}, lock)
        contents = find_contents(fleet, ["amd64"])
        return create_bundle(BundleRequest(tmp_path / name, list(fleet), contents, ("amd64",), since=since), QUIET)

    upstream.add_release("0.24.0")
    upstream.add_model("m", WEIGHTS, b"template")
    return create


def contents_of(bundle: Bundle) -> set[bytes]:
    return {b"".join(bundle.read(part)) for part in bundle.index.packed}


def test_a_bundle_has_what_the_hosts_need_once(create: Create, upstream: Upstream, tmp_path: Path) -> None:
    bundle = create()

    manifest = upstream.files["/v2/team/m/manifests/latest"]
    assert contents_of(bundle) == {ARCHIVE, manifest, b"{}", WEIGHTS, b"template"}
    assert [(each.kind, each.name, each.version, each.arch, each.digest) for each in bundle.index.artifacts] == [
        ("release", NAME, "0.24.0", "amd64", digest_of(ARCHIVE)),
        ("model", f"{upstream.server}/team/m:latest", "", "", digest_of(manifest)),
    ]
    assert bundle.index.artifacts[1].parts[0] == digest_of(manifest)
    assert bundle.index.hosts == ("gpu-1", "gpu-2")
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.bundle"]
    bundle.verify()


def test_a_shared_blob_is_downloaded_once(create: Create, upstream: Upstream) -> None:
    upstream.add_model("n", WEIGHTS, b"another template")
    names = [{"name": f"{upstream.server}/team/{name}", "insecure": True} for name in "mn"]

    bundle = create(models=names)

    assert len(upstream.asked(digest_of(WEIGHTS))) == 1
    assert len(bundle.index.artifacts) == 3


def test_a_cut_download_continues_where_it_ended(create: Create, upstream: Upstream) -> None:
    upstream.cuts[f"/v2/team/m/blobs/{digest_of(WEIGHTS)}"] = 100_000

    bundle = create()

    assert upstream.asked(digest_of(WEIGHTS)) == ["", "bytes=100000-"]
    assert WEIGHTS in contents_of(bundle)


def test_a_server_without_ranges_sends_it_again(create: Create, upstream: Upstream) -> None:
    upstream.has_ranges = False
    upstream.cuts[f"/v2/team/m/blobs/{digest_of(WEIGHTS)}"] = 100_000

    assert WEIGHTS in contents_of(create())


def test_a_command_that_was_killed_continues(create: Create, upstream: Upstream, tmp_path: Path) -> None:
    parts = tmp_path / "fleet.bundle.parts"
    parts.mkdir()
    (parts / part_name(digest_of(ARCHIVE))).write_bytes(ARCHIVE)
    (parts / f"{part_name(digest_of(WEIGHTS))}.part").write_bytes(WEIGHTS[:200_000])
    (tmp_path / "fleet.bundle.partial").write_bytes(b"half")

    bundle = create()

    assert upstream.asked(NAME) == []
    assert upstream.asked(digest_of(WEIGHTS)) == ["bytes=200000-"]
    bundle.verify()


def test_a_part_that_is_longer_than_it_may_be_is_downloaded_again(create: Create, tmp_path: Path) -> None:
    parts = tmp_path / "fleet.bundle.parts"
    parts.mkdir()
    (parts / f"{part_name(digest_of(WEIGHTS))}.part").write_bytes(WEIGHTS + b"x")

    create().verify()


def test_wrong_bytes_are_refused_and_removed(create: Create, upstream: Upstream, tmp_path: Path) -> None:
    path = f"/v2/team/m/blobs/{digest_of(WEIGHTS)}"
    upstream.files[path] = WEIGHTS[:-1] + b"X"

    with pytest.raises(BundleError, match=r"model .*/team/m:latest is not what was expected"):
        create()

    assert not (tmp_path / "fleet.bundle").exists()
    upstream.files[path] = WEIGHTS
    create().verify()


def test_more_bytes_than_the_manifest_says_are_refused(create: Create, upstream: Upstream) -> None:
    upstream.files[f"/v2/team/m/blobs/{digest_of(WEIGHTS)}"] = WEIGHTS + b"x" * (2 << 20)

    with pytest.raises(BundleError, match=r"cannot download model|is not what was expected"):
        create()


def test_a_model_that_moved_is_refused_by_name(create: Create, upstream: Upstream) -> None:
    name = f"{upstream.server}/team/m:latest"

    with pytest.raises(BundleError, match=rf"{name} moved: sha256:{'a' * 64} is pinned") as caught:
        create(pins={name: ModelPin(digest="a" * 64, size=1)})

    assert caught.value.hints == (f"on this machine: fleethands pin --only {name}",)


def test_an_absent_model_is_named(create: Create, upstream: Upstream) -> None:
    del upstream.files["/v2/team/m/manifests/latest"]

    with pytest.raises(BundleError, match=r"team/m:latest: 127\.0\.0\.1 has no such model"):
        create()


def test_a_password_of_a_mirror_is_in_no_byte_and_in_no_message(create: Create, upstream: Upstream) -> None:
    url = upstream.url.replace("http://", "http://user:hunter2@")

    assert b"hunter2" not in create(ollama_url=url).path.read_bytes()
    upstream.files[f"/v0.24.0/{NAME}"] = b"other"
    with pytest.raises(BundleError) as caught:
        create(name="other.bundle", ollama_url=url)
    del upstream.files[f"/v0.24.0/{NAME}"]
    with pytest.raises(BundleError) as absent:
        create(name="third.bundle", ollama_url=url)

    assert "hunter2" not in repr([caught.value, caught.value.hints, absent.value, absent.value.hints])


def test_a_delta_has_what_the_older_bundle_lacks(create: Create, upstream: Upstream) -> None:
    old = create()
    upstream.add_model("m", WEIGHTS, b"new template")
    upstream.requests.clear()

    new = create(name="new.bundle", since=old)

    assert contents_of(new) == {upstream.files["/v2/team/m/manifests/latest"], b"new template"}
    assert upstream.asked(digest_of(WEIGHTS)) == []
    assert new.index.since == old.index.digest
    assert {part.digest for part in new.index.parts if not part.is_packed} >= {digest_of(WEIGHTS), digest_of(ARCHIVE)}


def test_two_commands_do_not_mix(create: Create, tmp_path: Path) -> None:
    parts = tmp_path / "fleet.bundle.parts"
    parts.mkdir()
    with (parts / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BundleError, match="another command creates"):
            create()


def test_a_build_from_source_is_refused_before_anything_is_downloaded(create: Create, upstream: Upstream) -> None:
    with pytest.raises(BundleError, match="gpu-2: a bundle has no Python and npm packages"):
        create(openhands_flavor="source")

    assert upstream.requests == []
