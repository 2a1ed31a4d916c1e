"""Prints every banned word, and exits with 1 if there is one: `python -m tests.language [FILE…]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.language.rules import Rules

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Check the files that git knows, or those that are named."""
    rules = Rules.load()
    named = sys.argv[1:]
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = 0
    for name in named or listed.splitlines():
        for fault in rules.check(name, ROOT / name, everything=bool(named)):
            print(fault, file=sys.stderr)
            found = 1
    return found


if __name__ == "__main__":
    sys.exit(main())
