"""How far one host got through its operations, and what stopped it short of their end."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands.ssh.diagnosis import Why


class RunAborted(BaseException):
    """A run is to end at once; no error of one command, so that nothing but a host's walk ends on it."""


@dataclass
class HostRun:
    """
    One host's way.

    + step: the operation that it is at, or was at last
    + done: it came to the end of its operations
    + interrupted: someone ended the run; between: it was at no operation then
    + why: what stopped it, where that was no failed operation
    """

    step: str = ""
    done: bool = False
    interrupted: bool = False
    between: bool = False
    why: Why | None = None
    seconds: float = 0.0

    def interrupt(self, hints: list[str], *, at_once: bool) -> None:
        """
        Someone ended the run: between two operations, or within one.

        + hints: what completes it
        """
        where = f"during `{self.step}`" if at_once else f"after `{self.step}`" if self.step else "before it began"
        self.interrupted, self.between = True, not at_once
        self.why = f"interrupted {where}", hints
