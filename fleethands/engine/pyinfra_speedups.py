"""What pyinfra 3.10 works out anew for every operation of every host, worked out once, or without what it drops."""

from __future__ import annotations

import sys
from functools import cache
from types import FrameType
from typing import NamedTuple, get_type_hints

import pyinfra.api.arguments
import pyinfra.api.util


class Place(NamedTuple):
    """Where a frame stands, as `inspect.getframeinfo` has it."""

    filename: str
    lineno: int


def take() -> None:
    """
    Have pyinfra take them from now on. Measured over stand-ins: a plan's own work becomes a third of what it was.

    It tells operations apart by the lines of the stack (api/util.py, get_operation_order_from_stack). For each frame
    `inspect` looks for the source in every module there is, and pyinfra drops it.
    """
    pyinfra.api.util.stack = stack
    pyinfra.api.util.getframeinfo = place
    pyinfra.api.arguments.get_type_hints = cache(get_type_hints)


def stack() -> list[tuple[FrameType]]:
    """The frames of the caller and of those above it, the innermost first."""
    frames: list[tuple[FrameType]] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        frames.append((frame,))
        frame = frame.f_back
    return frames


def place(frame: FrameType) -> Place:
    """Where it stands."""
    return Place(frame.f_code.co_filename, frame.f_lineno)
