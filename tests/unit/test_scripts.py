"""What a step sends to a host holds all that it calls there, and no more."""

from __future__ import annotations

import re

import pytest

from fleethands.operations.core import operation, scripts

DEFINED = re.compile(r"^([a-z_]+)\(\) ", re.MULTILINE)
SHARED = ("common", "containers", "openhands", "owned", "spelled", "table")
CALLABLE = {name: set(DEFINED.findall(scripts.read(name))) for name in SHARED}
OPENHANDS = CALLABLE["containers"] | CALLABLE["openhands"]


@pytest.mark.parametrize("name", scripts.names())
def test_a_step_has_what_openhands_needs_where_it_calls_it(name: str) -> None:
    if name in SHARED:
        pytest.skip("a shared part is no step")
    called = set(re.findall(r"[a-z_]+", scripts.read(name))) & (OPENHANDS | {"previous_unit", "service_unit"})

    assert bool(called) == ({"containers", "openhands"} <= set(operation.SCRIPT_DEPENDENCIES.get(name, ()))), called
