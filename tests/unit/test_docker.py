"""Whose a container is, as the probe tells it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from fleethands.facts.docker import docker
from fleethands.operations import openhands, theirs
from fleethands.operations.change import Refused, Same
from tests.hosts import bare, declared

MINE, MOVED = "sha256:" + "1" * 64, "sha256:" + "2" * 64
SPEC = {"fleethands.spec": "s", "fleethands.users": "1:1 1:1", "mine": "yes"}
MADE = {**SPEC, "fleethands.made": "m1"}


def inspected(value: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps([value]).encode()).decode()


def image(labels: dict[str, str] | None, id: str = MINE) -> str:
    return inspected({"Id": id, "Config": {"Labels": labels}, "RepoDigests": []})


def container(labels: dict[str, str] | None) -> str:
    config = {"Labels": labels, "Image": "openhands:1"}
    return inspected({"Id": "c", "State": {"Status": "running", "StartedAt": ""}, "Image": MINE, "Config": config})


def labels_of(*lines: str) -> dict[str, str]:
    found = docker(["version 26", *lines]).container
    assert found is not None
    return dict(found.labels)


@pytest.mark.parametrize("mine", [SPEC, MADE])
@pytest.mark.parametrize("inherited", [None, {}, {"mine": "yes"}, {"fleethands.spec": "other"}])
def test_labels_that_the_image_does_not_have_are_the_containers_own(
    mine: dict[str, str], inherited: dict[str, str] | None
) -> None:
    assert labels_of(f"container {container(mine)}", f"image {image(inherited)}") == mine
    moved = image({**mine, "fleethands.made": "m1"}, MOVED)
    assert labels_of(f"container {container(mine)}", f"image {moved}", f"origin {image(inherited)}") == mine


@pytest.mark.parametrize("mine", [SPEC, MADE])
def test_labels_that_an_image_handed_on_are_nobodys_word(mine: dict[str, str]) -> None:
    for more in ({}, {"fleethands.users": "0:0 0:0"}):
        its = container({**mine, **more})
        assert labels_of(f"container {its}", f"image {image(mine)}") == {"mine": "yes"}
        assert labels_of(f"container {its}", "image -", f"origin {image(mine)}") == {"mine": "yes"}


def test_a_container_of_ours_from_an_image_that_was_committed_from_ours_is_ours() -> None:
    again = {**MADE, "fleethands.made": "m2"}
    assert labels_of(f"container {container(again)}", f"image {image(MADE)}") == again


@pytest.mark.parametrize("lines", [("image -",), (f"image {image({}, MOVED)}",), ("image -", "origin -"), ()])
def test_where_the_image_is_not_known_nothing_says_that_it_is_ours(lines: tuple[str, ...]) -> None:
    assert labels_of(f"container {container(MADE)}", *lines) == {"mine": "yes"}


def test_what_was_committed_and_run_under_our_name_is_refused_and_left_alone() -> None:
    settings = declared()
    spec = openhands.specification(settings, -1).digest
    handed = {"fleethands.spec": spec, "fleethands.made": "m1"}
    lines = ["version 26", f"container {container(handed)}", f"image {image(handed)}"]
    seen = bare(settings).having(docker=docker(lines))

    assert theirs.has_container(seen)
    refused = openhands.serve.decide(settings, seen)
    assert isinstance(refused, Refused)
    assert refused.reason == "a container named openhands-app is there that fleethands did not make"
    assert openhands.gone.decide(settings, seen) == Same("there is no container of ours")
