"""What a wheel and an sdist have to be before anyone installs them."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from fleethands.errors import FleethandsError
from tools.release.build import TOOLS
from tools.release.commands import run
from tools.release.commit import Commit

SDIST_ONLY = {"PKG-INFO"}


def check(commit: Commit, files: list[Path]) -> None:
    """
    Check the metadata, README as PyPI shows it, and the contents.

    Raises FleethandsError with the first fault.
    """
    sdist, wheel = files
    run("twine", "check", "--strict", *files, hint="correct the metadata in pyproject.toml, or README.md")
    run("check-wheel-contents", "--no-config", "--toplevel", "fleethands", wheel, hint=TOOLS)
    _compare("sdist", files_of_sdist(sdist) - SDIST_ONLY, set(commit.files), "only-include")
    package = {name for name in commit.files if name.startswith("fleethands/")}
    inside = {name for name in files_of_wheel(wheel) if not name.startswith("fleethands/project/")}
    _compare("wheel", inside, package, "packages")


def files_of_sdist(sdist: Path) -> set[str]:
    """The paths in an sdist, without its first directory."""
    with tarfile.open(sdist) as tar:
        return {member.name.partition("/")[2] for member in tar.getmembers() if member.isfile()}


def files_of_wheel(wheel: Path) -> set[str]:
    """The paths in a wheel, without its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def _compare(kind: str, found: set[str], expected: set[str], key: str) -> None:
    for difference, verb in ((expected - found, "lacks"), (found - expected, "has, and the commit has not,")):
        if difference:
            names = ", ".join(f"`{name}`" for name in sorted(difference)[:3])
            raise FleethandsError(
                f"the {kind} {verb} {len(difference)} files: {names}",
                f"list them in `{key}` of pyproject.toml, below `[tool.hatch.build.targets.{kind}]`",
            )
