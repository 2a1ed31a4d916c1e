"""The commit that a release is built from, and what keeps a commit from being a release."""

from __future__ import annotations

import io
import re
import tarfile
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleethands.errors import FleethandsError
from tools.release.commands import run

VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
SECTION = r"^## {version} \((.+)\)\n((?:(?!^## ).*\n)*)"
CLONE = "run this in a clone of the repository: `git clone GIT-ADDRESS`"


@dataclass(frozen=True)
class Commit:
    """
    The last commit of a checkout.

    + epoch: its time, in seconds since 1970
    + files: the paths that git tracks
    """

    root: Path
    name: str
    epoch: int
    version: str
    files: frozenset[str]

    @classmethod
    def read(cls, root: Path) -> Commit:
        """
        The last commit of the checkout at `root`, if it can be released.

        Raises FleethandsError for changes that are not committed, for two different versions, and for a version
        without a dated section in CHANGELOG.md.
        """
        name, epoch = _git(root, "log", "-1", "--format=%H %ct").split()
        _refuse_changes(root)
        version = _version(root)
        _check_changelog(root, version)
        files = _git(root, "ls-files", "-z").split("\0")
        return cls(root, name, int(epoch), version, frozenset(filter(None, files)))

    def unpack(self, place: Path) -> Path:
        """The files of this commit, and nothing else, in a new directory `place`."""
        archive = run("git", "archive", "--format=tar", self.name, cwd=self.root, hint=CLONE)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(place, filter="data")
        return place


def _git(root: Path, *words: str) -> str:
    return run("git", *words, cwd=root, hint=CLONE).decode()


def _refuse_changes(root: Path) -> None:
    lines = _git(root, "status", "--porcelain").splitlines()
    if lines:
        more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
        names = ", ".join(f"`{line[3:]}`" for line in lines[:3])
        raise FleethandsError(f"not in the last commit: {names}{more}", "commit or remove these files: `git status`")


def _version(root: Path) -> str:
    declared: str = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    found = VERSION.search((root / "fleethands/__init__.py").read_text())
    if not found or found[1] != declared:
        other = found[1] if found else "none"
        raise FleethandsError(
            f"pyproject.toml has version {declared}, and fleethands/__init__.py has {other}",
            f'write `__version__ = "{declared}"` into fleethands/__init__.py, and commit it',
        )
    return declared


def _check_changelog(root: Path, version: str) -> None:
    found = re.search(SECTION.format(version=re.escape(version)), (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    if not found or not found[2].strip():
        raise FleethandsError(
            f"CHANGELOG.md says nothing about version {version}",
            f"write a section `## {version} (YYYY-MM-DD)`, and commit it",
        )
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", found[1]):
        today = datetime.now(UTC).date()
        edit = f"sed -i 's/^## {version} (.*)/## {version} ({today})/' CHANGELOG.md"
        raise FleethandsError(
            f"CHANGELOG.md has no date for version {version}: `({found[1]})`",
            f"date the section: `{edit} && git commit -m 'Release {version}' CHANGELOG.md`",
        )
