"""The wheel of this checkout."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.helpers.checkout import ROOT
from tests.lab.shell import run


def build_wheel(place: Path) -> Path:
    """Build it in `place`."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place / "dist", cwd=ROOT)
    (wheel,) = (place / "dist").glob("*.whl")
    return wheel
