"""Whole programs timed side by side."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from tests.lab.shell import run

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
T = TypeVar("T")


@dataclass(frozen=True)
class Finished(Generic[T]):
    """One run of a program: seconds from its start to its end, imports included, and what it said."""

    seconds: float
    said: T


def timed(words: Sequence[str | Path], *, timeout: float = 120) -> Finished[str]:
    """Run a program from the checkout's root. Raises CommandFailed for a status other than 0."""
    begin = time.perf_counter()
    done = run(*words, cwd=ROOT, timeout=timeout)
    return Finished(time.perf_counter() - begin, done.stdout)


def alternating(rounds: int, *programs: Callable[[], Finished[T]]) -> list[list[Finished[T]]]:
    """Each program's runs, taken in turn so that the machine's other work meets all of them; the first is a warm-up."""
    runs: list[list[Finished[T]]] = [[program() for program in programs] for _ in range(rounds + 1)]
    return [list(column) for column in zip(*runs[1:], strict=True)]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)
