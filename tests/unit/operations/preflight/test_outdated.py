"""What upstream has left behind is named where it is about to be run."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.operations.core.decision import Change
from fleethands.operations.ollama import vulnerabilities
from fleethands.operations.openhands import container, unmaintained
from tests.hosts import bare, declared


@pytest.mark.parametrize(
    ("data", "over"),
    [
        ({}, ["V0 of OpenHands has had no release since 0.62.0 (November 2025)"]),
        ({"openhands_generation": "v1"}, ["V1 of OpenHands has had no release since 1.11.0 (July 2026)"]),
        ({"openhands_flavor": "canvas", "openhands_image": "ghcr.io/openhands/agent-canvas:1.16.0"}, []),
        ({"openhands_flavor": "source"}, []),
        ({"openhands_flavor": "off"}, []),
    ],
)
def test_a_generation_that_is_over_is_named_with_what_upstream_works_on(data: dict[str, Any], over: list[str]) -> None:
    wanted = [f'{each}; what upstream works on is Agent Canvas (`openhands_flavor`: "canvas")' for each in over]

    assert list(unmaintained.notes(declared(**data))) == wanted


def test_a_plan_that_makes_the_container_says_so() -> None:
    settings = declared()

    change = container.serve.decide(settings, bare(settings))

    assert isinstance(change, Change)
    assert change.notes[-1:] == tuple(unmaintained.notes(settings))


@pytest.mark.parametrize(("release", "flawed"), [("0.17.0", True), ("0.17.1", False), ("0.17.1-rc1", False)])
def test_a_release_with_a_published_flaw_is_named(release: str, flawed: bool) -> None:
    assert any("CVE-2026-7482" in note for note in vulnerabilities.notes(release)) is flawed
