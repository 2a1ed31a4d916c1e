"""The limit for the speed, from host data to the script of the proof."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.tasks import proof
from tests.helpers.machine import Machine, deploy
from tests.hosts import bare


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        ({}, "slowdown_limit=''"),
        ({"fleethands_max_slowdown": "20%"}, "slowdown_limit=20"),
        ({"fleethands_max_slowdown": "20%", "fleethands_rollback_to": "current"}, "slowdown_limit=''"),
    ],
)
def test_a_proof_has_the_limit_and_the_proof_of_a_rollback_has_none(data: dict[str, Any], limit: str) -> None:
    machine = Machine(bare())

    deploy(machine, proof.prove, **data)

    scripts = [text for text in machine.texts if "measure_speed" in text]
    assert scripts
    assert all(limit in text.replace('"', "'").split() or f"\n{limit}\n" in text for text in scripts), limit
