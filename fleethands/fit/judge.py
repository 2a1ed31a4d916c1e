"""Judges whether a model fits on a host: whole on its GPUs, in part, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from fleethands.fit.estimate import effective, estimate
from fleethands.fit.load_options import LoadOptions
from fleethands.fit.memory_need import MemoryNeed
from fleethands.fit.placement import Placement, place
from fleethands.fit.shape import Shape

STEP = 256  # tokens
LEAST = 512


class Verdict(Enum):
    """Where a model would be."""

    WHOLE = "whole"
    SPLIT = "split"
    MAIN_MEMORY = "main memory"
    NOWHERE = "nowhere"


@dataclass(frozen=True)
class Room:
    """
    Memory of a host, in bytes.

    + gpus: free memory of each GPU that Ollama may use, as it is without Ollama's own models
    + main: main memory and swap that are available, None if unknown
    """

    gpus: Sequence[int]
    main: int | None = None


@dataclass(frozen=True)
class Judgment:
    """
    Whether a model fits.

    + options: as Ollama applies them to this model
    + best, worst: the verdict if the figure is too high, or too low, by all of its error
    + largest: tokens of the largest context that fits whole on the GPUs, or in main memory on a host without one; None
      if there is none
    """

    verdict: Verdict
    need: MemoryNeed
    placement: Placement
    options: LoadOptions
    best: Verdict
    worst: Verdict
    largest: int | None

    @property
    def can_be_whole(self) -> bool:
        """Whether the GPUs may take all of it."""
        return self.best is Verdict.WHOLE


def judge(shape: Shape, options: LoadOptions, room: Room, *, extra: int = 0) -> Judgment:
    """
    Judge one model on one host.

    + extra: bytes of its projectors and adapters

    Raises NotCovered for a release or a shape that no formula is known to be right for.
    """
    options = effective(shape, options)
    need = estimate(shape, options, extra=extra)
    placement = place(need, options, room.gpus)
    scaled = (need.scaled(1 - need.error), need.scaled(1 + need.error))
    best, worst = (_verdict(place(each, options, room.gpus), room) for each in scaled)
    largest = _largest_context(shape, options, room, extra)
    return Judgment(_verdict(placement, room), need, placement, options, best, worst, largest)


def _verdict(placement: Placement, room: Room) -> Verdict:
    if room.main is not None and placement.ram > room.main:
        return Verdict.NOWHERE
    if room.gpus and placement.is_whole:
        return Verdict.WHOLE
    return Verdict.SPLIT if placement.on_gpus else Verdict.MAIN_MEMORY


def _largest_context(shape: Shape, options: LoadOptions, room: Room, extra: int) -> int | None:
    """The largest context that is whole on the GPUs, or that main memory has room for."""
    wanted = Verdict.WHOLE if room.gpus else Verdict.MAIN_MEMORY
    if not room.gpus and room.main is None:
        return None

    def fits(context: int) -> bool:
        tried = replace(options, context=context)
        need = estimate(shape, tried, extra=extra)
        return _verdict(place(need, tried, room.gpus), room) is wanted

    low, high = LEAST // STEP - 1, (shape.context or options.context) // STEP
    if high <= low:
        return None
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle * STEP) else (low, middle - 1)
    return low * STEP if low * STEP >= LEAST else None
