"""What a step sends to a host holds all that it calls there, and no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleethands.operations import change

FOLDER = Path(change.__file__).parent / "scripts"
DEFINED = re.compile(r"^([a-z_]+)\(\) ", re.MULTILINE)
SHARED = ("common", "containers", "openhands", "owned", "spelled", "table")
CALLABLE = {name: set(DEFINED.findall((FOLDER / f"{name}.sh").read_text())) for name in SHARED}
OPENHANDS = CALLABLE["containers"] | CALLABLE["openhands"]


def text(place: Path) -> str:
    return "".join(part.read_text() for part in sorted(place.iterdir())) if place.is_dir() else place.read_text()


@pytest.mark.parametrize(
    "place", [each for each in FOLDER.iterdir() if each.suffix != ".txt"], ids=lambda each: each.stem
)
def test_a_step_has_what_openhands_needs_where_it_calls_it(place: Path) -> None:
    if place.stem in SHARED:
        pytest.skip("a shared part is no step")
    called = set(re.findall(r"[a-z_]+", text(place))) & (OPENHANDS | {"service_before", "service_unit"})

    assert bool(called) == ({"containers", "openhands"} <= set(change.ALSO.get(place.stem, ()))), called
