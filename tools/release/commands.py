"""Commands on this machine. Each failure becomes one message."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from fleethands.errors import FleethandsError

BESIDE = Path(sys.executable).parent


def run(*words: str | Path, hint: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> bytes:
    """
    The standard output of a command.

    + words: the command; one without a slash is looked up next to this Python first
    + hint: the next step if the command fails
    + env: added to this process's own environment

    Raises FleethandsError with the command's last line if it fails, is missing or takes more than 10 minutes.
    """
    beside = BESIDE / str(words[0])
    line = [str(beside) if beside.exists() else str(words[0]), *map(str, words[1:])]
    name = " ".join([str(words[0]), *map(str, words[1:3])])
    try:
        done = subprocess.run(
            line, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, timeout=600, check=False
        )
    except FileNotFoundError:
        raise FleethandsError(f"`{words[0]}` is missing", hint) from None
    except subprocess.TimeoutExpired:
        raise FleethandsError(f"`{name} …` did not end in 10 minutes", hint) from None
    if done.returncode:
        output = (done.stdout + done.stderr).decode(errors="replace")
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        raise FleethandsError(f"`{name} …` failed: {lines[-1] if lines else f'exit {done.returncode}'}", hint)
    return done.stdout
