"""The bill of materials: every dependency with its version and license, as CycloneDX."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fleethands.errors import FleethandsError
from tools.release.build import TOOLS
from tools.release.commands import run
from tools.release.commit import Commit

NETWORK = "check that this machine reaches its package index, then run: `make release`"


def write_materials(commit: Commit, work: Path) -> Path:
    """
    The bill of materials of the tested dependencies, in a file below `work`.

    The dependencies are really installed, because their licenses are in their metadata only.

    Raises FleethandsError if a dependency can't be installed, or if the result is not valid.
    """
    tree, python = commit.unpack(work / "materials"), work / "environment/bin/python"
    locked = tree / "requirements/runtime.txt"
    run("uv", "venv", "--quiet", "--python", sys.executable, work / "environment", hint=TOOLS)
    run("uv", "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", locked, hint=NETWORK)
    file = work / f"fleethands-{commit.version}.cdx.json"
    words = ("--output-reproducible", "--validate", "--pyproject", tree / "pyproject.toml", "-o", file, python)
    run("cyclonedx-py", "environment", *words, env={"SOURCE_DATE_EPOCH": str(commit.epoch)}, hint=TOOLS)
    if json.loads(file.read_text())["metadata"]["component"]["version"] != commit.version:
        raise FleethandsError(f"the bill of materials is not about version {commit.version}", TOOLS)
    return file
