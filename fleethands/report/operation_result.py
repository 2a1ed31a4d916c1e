"""What one operation came to on one host."""

from __future__ import annotations

from dataclasses import dataclass

MARKED = 100  # lines of one mark
LOGGED = 400  # last lines of a log
LONGEST = 2000  # characters of a line
UNFORESEEN = "a command of the step "  # core/common.sh: the script has no message for this failure


@dataclass(frozen=True)
class OperationResult:
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
        both = [*self.stdout.split("\n"), *self.stderr.split("\n")]
        return [line.removeprefix(f"{mark}: ")[:LONGEST] for line in both if line.startswith(f"{mark}: ")][:MARKED]

    @property
    def reason(self) -> str:
        """Why it failed, by what the script said; empty where it said nothing."""
        said = "; ".join(self.marked("error"))
        return f"{said}: {self.log[-1]}" if said.startswith(UNFORESEEN) and self.log else said

    @property
    def log(self) -> list[str]:
        """What else it said where errors go, the last of it."""
        lines = [line for line in self.stderr.splitlines() if not line.startswith(("error: ", "hint: "))]
        return [line[:LONGEST] for line in lines[-LOGGED:]]
