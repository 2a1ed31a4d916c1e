"""What one operation came to on one host."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What one operation said on one host."""

    operation: str
    failed: bool
    stdout: str
    stderr: str

    @property
    def task(self) -> str:
        """The task that it belongs to."""
        return self.operation.partition(" | ")[0]

    def marked(self, mark: str) -> list[str]:
        """Lines that begin with `MARK: `, without it."""
        both = [*self.stdout.splitlines(), *self.stderr.splitlines()]
        return [line.removeprefix(f"{mark}: ") for line in both if line.startswith(f"{mark}: ")]

    @property
    def log(self) -> list[str]:
        """What else it said where errors go."""
        return [line for line in self.stderr.splitlines() if not line.startswith(("error: ", "hint: "))]
