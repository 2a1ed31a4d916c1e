"""The settings of a host follow the pins of the lockfile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleethands.operations.ollama import release_archives
from fleethands.pinning import resolve
from fleethands.settings import SettingsError, lockfile, read_fleet, serialize
from fleethands.settings.apply_pins import find_pinnable
from fleethands.settings.lockfile import Lockfile, LockfileContents
from tests.helpers.pins import DIGEST, HOST_DATA, IMAGE, OTHER_DIGEST, PINS, read_pinned


def test_without_a_lock_nothing_is_held(tmp_path: Path) -> None:
    lock = lockfile.load_lockfile(lockfile.lockfile_path(tmp_path))
    settings = read_fleet({"host": HOST_DATA}, lock)["host"]

    assert (settings.models[0].digest, settings.container_image, settings.pins.missing) == (None, IMAGE, ())


def test_models_images_and_archives_are_held() -> None:
    settings = read_pinned()

    assert settings.models[0].digest == DIGEST
    assert settings.container_image == f"ghcr.io/all-hands-ai/openhands@sha256:{DIGEST}"
    assert settings.openhands_image == IMAGE
    assert release_archives.pinned_checksums(settings, "amd64") == PINS.ollama["0.24.0"]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"ollama_sha256": OTHER_DIGEST}, "ollama_sha256"),
        ({"ollama_sha256": {"amd64": OTHER_DIGEST}}, "ollama_sha256.amd64"),
        ({"models": [{"name": "codellama:7b", "digest": OTHER_DIGEST}]}, "models.0.digest"),
    ],
)
def test_a_contradiction_is_a_mistake(data: dict[str, Any], path: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_pinned(**data)

    (mistake,) = error.value.mistakes
    assert mistake.path == path
    assert mistake.problem.startswith(f"expected `{DIGEST}` from fleethands.lock, got `{OTHER_DIGEST}`")


def test_what_is_declared_by_digest_needs_no_pin() -> None:
    data = {
        "models": [{"name": "m", "digest": OTHER_DIGEST}],
        "ollama_sha256": OTHER_DIGEST,
        "openhands_image": f"{IMAGE}@sha256:{OTHER_DIGEST}",
    }

    settings = read_pinned(LockfileContents(), **data)

    assert settings.pins.missing == ()
    assert resolve.PinnableFleet.from_settings([settings]).names == frozenset()


def test_the_image_of_sandboxes_is_pinned_where_it_is_known() -> None:
    known = read_pinned(openhands_image="docker.openhands.dev/openhands/openhands:1.11")
    declared = read_pinned(
        openhands_image="mine:1.12",
        openhands_env={"AGENT_SERVER_IMAGE_REPOSITORY": "r.example/agent", "AGENT_SERVER_IMAGE_TAG": "2"},
    )

    assert find_pinnable(known).images[1:] == ("ghcr.io/openhands/agent-server:1.34.0-python",)
    assert find_pinnable(declared).images == ("mine:1.12", "r.example/agent:2")
    assert find_pinnable(read_pinned(openhands_image="mine:1.12")).images == ("mine:1.12",)


def test_a_release_record_keeps_what_was_declared_and_not_what_was_pinned() -> None:
    free = read_fleet({"host": HOST_DATA}, Lockfile())["host"]

    assert serialize.to_json(read_pinned()) == serialize.to_json(free)
    assert read_pinned().without_pins == free
