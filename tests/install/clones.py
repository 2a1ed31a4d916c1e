"""A clone of this checkout that can be released: everything is committed, and the changelog has a date."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.checkout import ROOT

DATE = "2026-01-02"
IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@example.net", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Clone:
    """A repository that a test may change."""

    root: Path

    @classmethod
    def of_checkout(cls, place: Path) -> Clone:
        """Clone this checkout to `place`."""
        return cls._copy(ROOT, place)._with_changes()._with_dated_changelog()

    def copy(self, place: Path) -> Clone:
        """Another clone with the same last commit."""
        return self._copy(self.root, place)

    @classmethod
    def _copy(cls, source: Path, place: Path) -> Clone:
        subprocess.run(["git", "clone", "--quiet", str(source), str(place)], check=True, timeout=60)
        return cls(place)

    def git(self, *words: str) -> str:
        line = ["git", *IDENTITY, *words]
        return subprocess.run(line, cwd=self.root, capture_output=True, text=True, check=True, timeout=60).stdout

    def commit(self, message: str = "Change") -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace text of a file, which has to have it."""
        text = (self.root / name).read_text()
        assert old in text
        (self.root / name).write_text(text.replace(old, new))

    def release(self) -> subprocess.CompletedProcess[str]:
        """What `make release` runs."""
        line = [sys.executable, "-m", "tools.release", str(self.root)]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)

    def _with_changes(self) -> Clone:
        line = ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"]
        listed = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.root / name)
            else:
                (self.root / name).unlink(missing_ok=True)
        return self

    def _with_dated_changelog(self) -> Clone:
        changelog = self.root / "CHANGELOG.md"
        changelog.write_text(re.sub(r"\((unreleased|[-\d]+)\)", f"({DATE})", changelog.read_text(), count=1))
        self.commit("Release")
        return self
