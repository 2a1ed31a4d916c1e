"""Finds out whether git would commit a file."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 10.0
IGNORED = 0  # exit code of `git check-ignore`


@dataclass(frozen=True)
class MissingLine:
    """A line that a .gitignore lacks."""

    line: str
    file: Path


def find_missing_line(path: Path) -> MissingLine | None:
    """
    The line by which git ignores a file. None if git ignores it already, or if it is in no work tree.

    A git that cannot answer counts as one that does not ignore the file.
    """
    place = path.parent.resolve() / path.name
    tree = next((each for each in place.parents if (each / ".git").exists()), None)
    if tree is None or _is_ignored(place):
        return None
    # git reads these characters as a pattern (gitignore(5))
    return MissingLine("/" + re.sub(r"([\\*?\[ ])", r"\\\1", place.relative_to(tree).as_posix()), tree / ".gitignore")


def _is_ignored(place: Path) -> bool:
    command = ["git", "-C", str(place.parent), "check-ignore", "--quiet", "--", str(place)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == IGNORED
