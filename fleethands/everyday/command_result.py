"""What came of one command on one host, with its output within limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LONGEST_TEXT = 1 << 20  # characters of each output that a result keeps

DONE, FAILED, ABSENT, UNREACHABLE, INTERRUPTED = "done", "failed", "absent", "unreachable", "interrupted"
BAD = frozenset({FAILED, UNREACHABLE})


class Output:
    """The beginning of an output. `is_truncated`: there was more."""

    def __init__(self, most: int = LONGEST_TEXT) -> None:
        self._left, self._lines = most, list[str]()
        self.is_truncated = False

    def add(self, line: str) -> None:
        """Keep one line, or what of it fits."""
        self.is_truncated = self.is_truncated or len(line) >= self._left
        if self._left > 0:
            self._lines.append(line[: self._left - 1])
            self._left -= len(line) + 1

    @property
    def text(self) -> str:
        """All lines that were kept."""
        return "".join(f"{line}\n" for line in self._lines)

    @property
    def lines(self) -> list[str]:
        return self._lines


@dataclass
class CommandResult:
    """
    The end of one command on one host.

    + status: done, failed, unreachable, interrupted; absent where the host has no such log
    + exit_code: None without one
    + source: the command on the host that printed a log
    """

    status: str
    reason: str = ""
    hints: tuple[str, ...] = ()
    exit_code: int | None = None
    seconds: float = 0.0
    source: str = ""
    stdout: Output = field(default_factory=Output)
    stderr: Output = field(default_factory=Output)

    def to_json(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "status": self.status,
            "reason": self.reason,
            "hints": list(self.hints),
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 3),
            "stdout": self.stdout.text,
            "stderr": self.stderr.text,
            "stdout_truncated": self.stdout.is_truncated,
            "stderr_truncated": self.stderr.is_truncated,
        }
