"""Where a rollout is, and whether another batch begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto


class Phase(Enum):
    UPDATING = auto()
    ROLLING_BACK = auto()
    STOPPED = auto()  # no further batch begins
    INTERRUPTED = auto()


@dataclass
class RolloutState:
    """
    Where a rollout is.

    + stop_reason: why no further batch begins; empty while batches begin
    """

    phase: Phase = Phase.UPDATING
    stop_reason: str = ""

    @property
    def is_over(self) -> bool:
        return self.phase in {Phase.STOPPED, Phase.INTERRUPTED}

    def stop(self, reason: str) -> None:
        """Begin no further batch. The first reason is kept."""
        if not self.is_over:
            self.phase, self.stop_reason = Phase.STOPPED, reason

    def interrupt(self) -> None:
        self.phase, self.stop_reason = Phase.INTERRUPTED, "the run was interrupted"

    @contextmanager
    def rolling_back(self) -> Iterator[None]:
        """An interrupt meanwhile lets the rollback finish."""
        if self.phase is Phase.UPDATING:
            self.phase = Phase.ROLLING_BACK
        try:
            yield
        finally:
            if self.phase is Phase.ROLLING_BACK:
                self.phase = Phase.UPDATING
