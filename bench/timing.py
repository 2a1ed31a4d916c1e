"""Times whole programs in turn."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from tests.lab.shell import CommandFailed

from .watched import Watched

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
T = TypeVar("T")


@dataclass(frozen=True)
class Finished(Generic[T]):
    """
    One run of a program: its output, and the kernel's figures of the whole process, imports included.

    + seconds: from start to end; cpu: CPU seconds; memory: peak in bytes
    """

    seconds: float
    said: T
    cpu: float = 0.0
    memory: int = 0


def timed(words: Sequence[str | Path]) -> Finished[str]:
    """Run a program in the checkout's root. Raises CommandFailed for a status other than 0."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begin = time.perf_counter()
        process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        watched = Watched(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            raise CommandFailed([str(word) for word in words], process.returncode, out.read() + err.read())
        return Finished(seconds, out.read(), usage.ru_utime + usage.ru_stime, watched.end().memory)


def alternating(rounds: int, *programs: Callable[[], Finished[T]]) -> list[list[Finished[T]]]:
    """Run the programs in turn, so that other work on the machine affects all of them. The first round is a warm-up."""
    runs: list[list[Finished[T]]] = [[program() for program in programs] for _ in range(rounds + 1)]
    return [list(column) for column in zip(*runs[1:], strict=True)]


def median(values: Sequence[float]) -> float:
    """The run with the median time."""
    return statistics.median(values)
