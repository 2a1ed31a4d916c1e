"""Runs the script of a unit that fetches parts in directories of a test, as the user who tests."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fleethands.operations.artifacts.fetchers import SHARED
from fleethands.operations.core import scripts
from fleethands.script import Script

# the user who runs this test owns every file, and the user `ollama` may not exist; retries do not wait
STANDS_IN = """
numbers_of() { echo 1:1; }
as_owner() { shift 2; "$@"; }
chown() { :; }
sleep() { :; }
"""


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Ended:
    """How a unit ended: the reason of a failure, and what it printed."""

    place: Path
    store: Path
    outcome: str
    said: str
    done: bool

    def part(self, content: bytes) -> Path:
        return self.store / digest(content).replace(":", "-")


def run_unit(tmp_path: Path, names: tuple[str, ...], given: str = "", extra: str = "", **values: str) -> Ended:
    """
    Run a unit to its end.

    + names: scripts behind the shared ones
    + given: its input
    + extra: shell code before the last script
    """
    place, store = tmp_path / "run", tmp_path / "state" / "artifacts"
    place.mkdir(exist_ok=True)
    (place / "input").write_text(f"{given}\n")
    (place / "said").touch()
    defaults = {
        "limit": "", "patience": "2", "tries": "3", "floor": "1", "place": str(place), "store": str(store),
        "what": "release 0.24.0", "fetch_lock": str(tmp_path / "fetch.lock"),
    }  # fmt: skip
    body = [scripts.read(name) + (STANDS_IN if name == "owned" else "") for name in (*SHARED, *names)]
    body.insert(-1, extra)
    text = Script(STANDS_IN + "".join(body), {**defaults, **values}).text
    subprocess.run(["sh", "-s"], input=text.encode(), timeout=60, check=True, capture_output=True)
    outcome = place / "outcome"
    said = (place / "said").read_text() if place.exists() else ""
    told = outcome.read_text() if outcome.exists() else ""
    return Ended(place, store, told, said, not place.exists() or (place / "done").exists())
