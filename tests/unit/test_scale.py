"""The bench over stand-ins fails where a fleet costs more than it may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.scale import Scale, wrong

MIB = 1 << 20
# a tenth of a second and 50 KiB a host, over a start of two seconds and 70 MiB
FLAT = [
    Scale(hosts, 2 + 0.1 * hosts, 1 + 0.01 * hosts, 70 * MIB + hosts * 50 * 1024, 38, 32, 1, 1)
    for hosts in (50, 200, 1000)
]


def test_what_each_host_costs_the_same_is_right() -> None:
    assert wrong(FLAT) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("memory", 1 << 30), ("seconds", 180.0), ("cpu", 45.0), ("descriptors", 1000), ("most", 1000), ("commands", 1.1)],
)
def test_what_a_large_fleet_may_not_cost_is_named(column: str, value: Any) -> None:
    said = wrong([*FLAT[:2], replace(FLAT[2], **{column: value})])

    assert said
    assert all("1000" in line for line in said)
