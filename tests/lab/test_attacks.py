"""Every attack of the table fails, and what it was after is as it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab.attacks import ATTACKS, Attack, Field
from tests.lab.lab import Lab

SAMPLE, ALL = 10, 200  # rounds of a race


def _cases() -> list[Any]:
    """Attacks by the state that they start in. The long runs repeat each race with more rounds."""
    inorder = sorted(ATTACKS, key=lambda attack: attack.state)
    slow = [pytest.mark.soak, pytest.mark.timeout(3000)]
    once = [pytest.param(each, SAMPLE, id=each.name, marks=slow if each.slow else []) for each in inorder]
    return once + [pytest.param(each, ALL, id=f"{each.name}-{ALL}", marks=slow) for each in inorder if each.race]


@pytest.mark.parametrize(("attack", "rounds"), _cases())
def test_an_attack_fails(attack: Attack, rounds: int, lab: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    host = request.getfixturevalue(attack.state)
    attack.carry_out(Field(lab, host, rounds, tmp_path))
