"""`fleethands rollback`."""

from __future__ import annotations

from fleethands.cli.change_command import ChangeRun, run_change
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.deploy_options import DeployOptions


def run(writer: ReportWriter, to: str | None, lock_wait: float, no_hooks: bool) -> int:
    return run_change(
        writer, ChangeRun("rollback.py", DeployOptions(rollback_to=to), lock_wait=lock_wait, hooks=not no_hooks)
    )
