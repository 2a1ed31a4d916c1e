"""A run of the product, with all that it said and the most that it held."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.watched import Watched
from tests.lab import fleet

MOST = 250 << 20  # bytes that a run may hold, whatever a host does


@dataclass(frozen=True)
class RunResult:
    """What a run came to: exit code, document, all that it said for people, most bytes that it held."""

    code: int
    document: dict[str, Any]
    said: str
    memory: int


def measured(command: str, target: str, *words: str, env: dict[str, str] | None = None, **data: Any) -> RunResult:
    """`fleethands COMMAND TARGET`, with host data on top and without a terminal."""
    line: Sequence[str] = [str(fleet.FLEETHANDS), command, target, "--json", *words, *fleet.with_data(**data)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        line,
        cwd=fleet.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        text=True,
        env={**os.environ, **(env or {})},
    )
    watched = Watched(process.pid)
    out, said = process.communicate(timeout=240)
    return RunResult(process.returncode, json.loads(out), said, watched.end().memory)
