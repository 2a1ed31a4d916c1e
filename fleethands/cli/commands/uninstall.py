"""`fleethands uninstall`."""

from __future__ import annotations

from fleethands.cli.change_command import ChangeRun, run_change
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.deploy_options import DeployOptions


def run(writer: ReportWriter, models: bool, workspaces: bool, lock_wait: float, no_hooks: bool) -> int:
    options = DeployOptions(uninstall_models=models, uninstall_workspaces=workspaces)
    return run_change(writer, ChangeRun("uninstall.py", options, lock_wait=lock_wait, hooks=not no_hooks))
