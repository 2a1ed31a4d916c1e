"""What a bundle needs is decided by settings and lockfile alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleethands.bundle.errors import BundleError
from fleethands.packing.registries import _choose
from fleethands.packing.wanted import WantedContents, find_contents
from fleethands.settings import read_fleet
from fleethands.settings.lockfile import Lockfile

IMAGE = "ghcr.io/all-hands-ai/openhands:main"
DIGEST = "sha256:" + "b" * 64


def contents(archs: tuple[str, ...] = ("amd64",), **data: Any) -> WantedContents:
    host = {"models": ["codellama:7b"], "ollama_version": "0.24.0", "openhands_image": IMAGE, **data}
    return find_contents(read_fleet({"gpu-1": host}, Lockfile()), archs)


def names(found: WantedContents) -> list[str]:
    return [each.name for each in found.archives]


def test_an_archive_for_each_architecture() -> None:
    assert names(contents(("amd64", "arm64"))) == ["ollama-linux-amd64.tar.zst", "ollama-linux-arm64.tar.zst"]


def test_a_declared_variant_has_its_second_archive() -> None:
    found = contents(("amd64", "arm64"), ollama_variant="rocm")

    assert names(found) == ["ollama-linux-amd64.tar.zst", "ollama-linux-amd64-rocm.tar.zst"]


def test_packages_of_bare_hosts() -> None:
    assert contents().packages == {"ca-certificates", "curl", "nftables", "docker.io", "zstd"}
    assert "docker.io" not in contents(openhands_flavor="off").packages
    assert "zstd" in contents(ollama_transfer="controller").packages


def test_a_container_of_ollama_is_an_image_and_no_archive() -> None:
    found = contents(ollama_runtime="container", ollama_image=f"ollama/ollama@{DIGEST}")

    assert names(found) == []
    assert found.images == {IMAGE: None, f"ollama/ollama@{DIGEST}": DIGEST}


def test_the_image_of_sandboxes_is_among_them() -> None:
    images = contents(openhands_image="ghcr.io/openhands/openhands:1.11").images

    assert "ghcr.io/openhands/agent-server:1.34.0-python" in images


@pytest.mark.parametrize(
    "declared", [{}, {"AGENT_SERVER_IMAGE_TAG": "1.40.0-python"}, {"AGENT_SERVER_IMAGE_REPOSITORY": "no image"}]
)
def test_an_unknown_image_of_sandboxes_is_named_with_what_to_declare(declared: dict[str, str]) -> None:
    found = contents(openhands_image="ghcr.io/openhands/openhands:1.99", openhands_env=declared)

    (note,) = found.notes
    assert note == (
        "gpu-1: the image of the sandboxes of ghcr.io/openhands/openhands:1.99 is unknown and not packed: declare"
        " `AGENT_SERVER_IMAGE_REPOSITORY` and `AGENT_SERVER_IMAGE_TAG` in `openhands_env`"
    )


def test_a_declared_image_of_sandboxes_is_packed() -> None:
    declared = {"AGENT_SERVER_IMAGE_REPOSITORY": "registry.example/agent", "AGENT_SERVER_IMAGE_TAG": "1.40.0"}
    found = contents(openhands_image="ghcr.io/openhands/openhands:1.99", openhands_env=declared)

    assert ("registry.example/agent:1.40.0" in found.images, found.notes) == (True, ())
    assert contents(openhands_flavor="canvas", openhands_image="ghcr.io/openhands/agent-canvas:1.16").notes == ()
    assert contents().notes == ()


def test_an_external_ollama_needs_no_model_here() -> None:
    found = contents(ollama_runtime="external", ollama_address="http://192.0.2.9:11434")

    assert (names(found), dict(found.models)) == ([], {})


def test_what_no_digest_fixes_is_named() -> None:
    pinned: dict[str, Any] = {"ollama_sha256": "a" * 64, "models": [{"name": "codellama:7b", "digest": "a" * 64}]}

    assert contents().unpinned == ("Ollama 0.24.0", "codellama:7b", IMAGE)
    assert contents(openhands_flavor="off", **pinned).unpinned == ()


def test_the_image_for_an_architecture_is_chosen() -> None:
    platforms = (("a", "windows", "amd64"), ("b", "linux", "arm64"), ("c", "linux", "amd64"))
    rows = [
        {"digest": f"sha256:{each * 64}", "platform": {"os": system, "architecture": arch}}
        for each, system, arch in platforms
    ]
    index = json.dumps({"manifests": rows}).encode()

    assert _choose("x", index, "amd64") == "sha256:" + "c" * 64
    assert _choose("x", b'{"layers": []}', "amd64") is None
    with pytest.raises(BundleError, match="x has no image for linux/arm64"):
        _choose("x", json.dumps({"manifests": rows[:1]}).encode(), "arm64")
    with pytest.raises(BundleError, match="its index is not valid"):
        _choose("x", b'{"manifests": [{"digest": "sha256:../x"}]}', "amd64")
