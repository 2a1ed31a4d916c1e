"""The unit that fetches the parts of an image, run here against a registry that wants a token."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.helpers.part_server import Site, serving
from tests.unit.operations.artifacts.test_fetch_model import manifest
from tests.unit.operations.artifacts.unit_run import Ended, digest, run_unit

NAMES = ("json", "registry", "image_parts", "fetch_image")
LAYER, ARM_LAYER = random.Random(1).randbytes(100_000), random.Random(2).randbytes(50_000)
CONFIG, ARM_CONFIG = b'{"architecture":"amd64"}', b'{"architecture":"arm64"}'
AMD, ARM = manifest(LAYER, config=CONFIG), manifest(ARM_LAYER, config=ARM_CONFIG)
# a host's engine. This machine may have none
ENGINE = """
timeout() { shift; "$@"; }
docker() {
  case $* in
    version*) echo amd64 ;;
    image*) return 1 ;;
    *DockerRootDir*) echo / ;;
  esac
}
"""


def platform(content: bytes, arch: str, system: str = "linux") -> dict[str, object]:
    at = {"architecture": arch, "os": system}
    return {"mediaType": "application/x", "digest": digest(content), "size": len(content), "platform": at}


INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "manifests": [
            platform(ARM, "amd64", "windows"), platform(ARM, "unknown", "unknown"), platform(ARM, "arm64"),
            platform(AMD, "amd64"),
        ],
    }
).encode()  # fmt: skip


def registry() -> Site:
    base = "/v2/team/app"
    files = {f"{base}/blobs/{digest(each)}": each for each in (LAYER, ARM_LAYER, CONFIG, ARM_CONFIG)}
    files |= {f"{base}/manifests/{digest(each)}": each for each in (AMD, ARM, INDEX)}
    files |= {f"{base}/manifests/v1": INDEX, f"{base}/manifests/plain": AMD, "/token": b'{"token":"abc.def"}'}
    return Site(files, token="abc.def")  # noqa: S106


def fetch(tmp_path: Path, site: Site, image: str = "team/app:v1", engine: str = ENGINE) -> Ended:
    with serving(site):
        name = f"{site.url.removeprefix('http://')}/{image}"
        return run_unit(tmp_path, NAMES, name, what=f"image {name}", extra=engine)


def test_the_parts_for_this_host_are_fetched(tmp_path: Path) -> None:
    site = registry()

    done = fetch(tmp_path, site)

    assert (done.outcome, done.done) == ("", True)
    assert (done.place / "image").read_text().split() == [digest(INDEX), digest(AMD), digest(CONFIG)]
    assert {done.part(each).read_bytes() for each in (INDEX, AMD, CONFIG, LAYER)} == {INDEX, AMD, CONFIG, LAYER}
    assert not done.part(ARM).exists()
    assert not done.part(ARM_LAYER).exists()
    assert f"/{len(CONFIG) + len(LAYER)} bytes" in done.said.splitlines()[-1]
    assert (done.place / "authorization").stat().st_mode & 0o777 == 0o600


def test_an_image_by_digest_and_one_without_an_index(tmp_path: Path) -> None:
    done = fetch(tmp_path, registry(), f"team/app@{digest(INDEX)}")
    assert (done.place / "image").read_text().split() == [digest(INDEX), digest(AMD), digest(CONFIG)]

    done = fetch(tmp_path, registry(), "team/app:plain")
    assert (done.place / "image").read_text().split() == [digest(AMD), digest(AMD), digest(CONFIG)]


def test_a_pinned_image_that_was_delivered_needs_no_registry(tmp_path: Path) -> None:
    store = tmp_path / "state/artifacts"
    store.mkdir(parents=True)
    for each in (INDEX, AMD, CONFIG, LAYER):
        (store / digest(each).replace(":", "-")).write_bytes(each)
    site = Site({})

    done = fetch(tmp_path, site, f"team/app@{digest(INDEX)}")

    assert (done.outcome, site.asked) == ("", [])


@pytest.mark.parametrize("wrong", [INDEX, AMD], ids=["index", "manifest"])
def test_another_manifest_than_that_of_the_digest_is_refused(wrong: bytes, tmp_path: Path) -> None:
    site = registry()
    site.files[f"/v2/team/app/manifests/{digest(wrong)}"] = ARM

    done = fetch(tmp_path, site, f"team/app@{digest(INDEX)}")

    assert f"than the one of the digest {digest(wrong)}" in done.outcome
    assert not done.done


@pytest.mark.parametrize("content", [LAYER, CONFIG], ids=["layer", "config"])
def test_wrong_bytes_are_refused(content: bytes, tmp_path: Path) -> None:
    site = registry()
    site.files[f"/v2/team/app/blobs/{digest(content)}"] = b"?" + content[1:]

    assert f"has other bytes than its digest {digest(content)}" in fetch(tmp_path, site).outcome


def test_a_redirect_to_another_server_does_not_get_the_token(tmp_path: Path) -> None:
    path = f"/v2/team/app/blobs/{digest(LAYER)}"
    site, storage = registry(), Site({"/storage": LAYER})
    with serving(storage):
        site.redirects[path] = f"{storage.url.replace('127.0.0.1', 'localhost')}/storage"
        done = fetch(tmp_path, site)

    assert done.outcome == ""
    assert [headers.get("Authorization") for seen, headers in site.asked if seen == path] == ["Bearer abc.def"]
    assert [headers.get("Authorization") for _, headers in storage.asked] == [None]


def test_a_token_that_ended_is_renewed(tmp_path: Path) -> None:
    site = registry()
    site.statuses[f"/v2/team/app/blobs/{digest(LAYER)}"] = [401]

    assert fetch(tmp_path, site).outcome == ""
    assert site.paths().count("/token") == 2


def test_a_registry_that_wants_a_login_is_named(tmp_path: Path) -> None:
    site = registry()
    site.files["/token"] = b'{"token":"another"}'

    done = fetch(tmp_path, site)

    first, hint = done.outcome.splitlines()
    assert first.endswith("/team/app:v1: it answers 401")
    assert hint.startswith("hint: if it needs a login, on the host: docker pull 127.0.0.1:")


def test_a_token_of_odd_characters_is_none(tmp_path: Path) -> None:
    site = registry()
    site.files["/token"] = b'{"token":"abc.def\\r\\nX-Header: 1"}'

    assert "it answers 401" in fetch(tmp_path, site).outcome


def test_an_image_for_other_machines_is_refused(tmp_path: Path) -> None:
    done = fetch(tmp_path, registry(), engine=ENGINE.replace("amd64", "riscv64"))

    assert "is not for this host: its registry has none for linux/riscv64" in done.outcome


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("ollama/ollama:0.24.0", "https://registry-1.docker.io ollama/ollama 0.24.0"),
        ("debian", "https://registry-1.docker.io library/debian latest"),
        ("docker.io/library/debian:13", "https://registry-1.docker.io library/debian 13"),
        ("ghcr.io/openhands/agent-canvas:1.16.0", "https://ghcr.io openhands/agent-canvas 1.16.0"),
        ("localhost/app", "http://localhost app latest"),
        ("registry.example:5000/a/b/c:v1", "https://registry.example:5000 a/b/c v1"),
        ("127.0.0.1:5000/app@sha256:" + "a" * 64, "http://127.0.0.1:5000 app sha256:" + "a" * 64),
        ("ghcr.io/x/y:v1@sha256:" + "a" * 64, "https://ghcr.io x/y sha256:" + "a" * 64),
    ],
)
def test_where_an_image_is(image: str, expected: str, tmp_path: Path) -> None:
    ask = f'locate_image {image}; echo "$registry $repository $reference" >"$place/said"; exit 0\n'

    done = run_unit(tmp_path, ("json", "registry", "image_parts"), extra=ask)

    assert done.said.split("\n")[0] == expected
