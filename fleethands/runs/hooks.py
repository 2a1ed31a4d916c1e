"""Hooks of a project: `hooks/pre-COMMAND` and `hooks/post-COMMAND` in the working directory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fleethands.command_line import CommandLine
from fleethands.errors import FleethandsError
from fleethands.operations.core import provenance
from fleethands.report.formats.wording import summarize_statuses
from fleethands.report.model import Report
from fleethands.report.report_text import report_text
from fleethands.runs.hook_program import WITHOUT, HookProgram

DIRECTORY = "hooks"
CHANGED = {"pending", "changed", "failed", "rolled-back"}  # of a host that the run changes, or began to change
MOST_NAMES = 100_000  # bytes of host names in a variable: Linux allows 128 KiB


@dataclass
class Hooks:
    """
    The hooks of one run. `post` runs only after `pre` succeeded, so the two come in pairs.

    + line: what was typed; run: the run id
    + show: is called with each line of their output, with the hook's name before it
    """

    line: CommandLine
    run: str
    show: Callable[[str], None]
    before: HookProgram | None = None
    after: HookProgram | None = None
    has_begun: bool = False

    @classmethod
    def find(cls, line: CommandLine, run: str, show: Callable[[str], None]) -> Hooks:
        """The hooks of the working directory. Raises FleethandsError for one that may not be run."""
        before, after = (HookProgram.find(Path(DIRECTORY) / f"{when}-{line.command}") for when in ("pre", "post"))
        return cls(line, run, show, before, after)

    def run_before(self, plan: Report) -> None:
        """Run `pre-COMMAND` with the plan. Raises FleethandsError if it fails; nothing was changed by then."""
        if self.before is not None and (why := self._run(self.before, plan)):
            hint = f"fix what {self.before.path} reports, then run the command again"
            raise FleethandsError(f"{self.before.path} {why}, nothing was changed", hint, WITHOUT)
        self.has_begun = True

    def run_after(self, report: Report) -> str:
        """Run `post-COMMAND` with the report. The answer is a warning; it is empty if there is none."""
        if self.after is None or not self.has_begun:
            return ""
        why = self._run(self.after, report)
        return f"{self.after.path} {why}; the hosts are as the report shows" if why else ""

    def _run(self, hook: HookProgram, report: Report) -> str:
        try:
            with _report_file(report) as path:
                variables = {**self._variables(report), "FLEETHANDS_REPORT": str(path)}
                return hook.run(variables, lambda text: self.show(f"{hook.path.name}: {text}"))
        except OSError as error:
            return f"cannot be run: {error.strerror}"

    def _variables(self, report: Report) -> dict[str, str]:
        failed = [name for name, host in sorted(report.hosts.items()) if host.status in {"failed", "rolled-back"}]
        touched = [name for name, host in sorted(report.hosts.items()) if host.status in CHANGED]
        return {
            "FLEETHANDS_COMMAND": self.line.command,
            "FLEETHANDS_TARGET": self.line.target,
            "FLEETHANDS_HOSTS": _joined(touched),
            "FLEETHANDS_FAILED": _joined(failed),
            "FLEETHANDS_RESULT": report.result,
            "FLEETHANDS_SUMMARY": summarize_statuses(report),
            "FLEETHANDS_RUN": self.run,
            "FLEETHANDS_BY": report.by,
            "FLEETHANDS_COMMIT": provenance.inventory_revision(),
        }


def _joined(names: list[str]) -> str:
    """One name a line, as many as a variable holds."""
    text = "\n".join(names)
    return text if len(text.encode()) <= MOST_NAMES else text[: MOST_NAMES // 4].rpartition("\n")[0]


@contextmanager
def _report_file(report: Report) -> Iterator[Path]:
    """A report.json that only this user can read, while the hook runs. Raises OSError."""
    with tempfile.TemporaryDirectory(prefix="fleethands-") as directory:
        path = Path(directory) / "report.json"
        path.touch(mode=0o600)
        with path.open("w") as file:
            file.writelines(report_text(report))
        yield path
