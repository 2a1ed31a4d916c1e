"""A part of a host's run, with its times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """
    One part of a host's run.

    + started: seconds since 1970; seconds: by a clock that never jumps
    + ok: whether it ended without an error
    """

    name: str
    started: float
    seconds: float
    ok: bool = True
