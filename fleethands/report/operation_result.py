"""What one operation printed on one host."""

from __future__ import annotations

from dataclasses import dataclass

MARKED = 100  # lines with one mark
LOGGED = 400  # lines at the end of a log
LONGEST = 2000  # characters of a line
UNFORESEEN = "a command of the step "  # core/common.sh: the script has no message for this failure


@dataclass(frozen=True)
class OperationResult:
    """The output of one operation on one host."""

    operation: str
    failed: bool
    stdout: str
    stderr: str

    @property
    def task(self) -> str:
        """The task of the operation."""
        return self.operation.partition(" | ")[0]

    def marked(self, mark: str) -> list[str]:
        """Lines that begin with `MARK: `, without that. Example: `result.marked("note")`."""
        both = [*self.stdout.split("\n"), *self.stderr.split("\n")]
        return [line.removeprefix(f"{mark}: ")[:LONGEST] for line in both if line.startswith(f"{mark}: ")][:MARKED]

    @property
    def reason(self) -> str:
        """The script's own error messages, empty without one."""
        said = "; ".join(self.marked("error"))
        return f"{said}: {self.log[-1]}" if said.startswith(UNFORESEEN) and self.log else said

    @property
    def log(self) -> list[str]:
        """The last lines of its standard error, without errors and hints."""
        lines = [line for line in self.stderr.splitlines() if not line.startswith(("error: ", "hint: "))]
        return [line[:LONGEST] for line in lines[-LOGGED:]]
