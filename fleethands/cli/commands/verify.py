"""`fleethands verify`."""

from __future__ import annotations

from functools import partial

from fleethands.cli.output.finish import finish
from fleethands.cli.output.progress import listener
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import open_checked_hosts
from fleethands.deploy_options import DeployOptions
from fleethands.runs.verify_hosts import verify_hosts


def run(writer: ReportWriter, checksums: bool, conversation: bool) -> int:
    engine = open_checked_hosts(writer, DeployOptions(checksums=checksums, conversation=conversation))
    return finish(writer, verify_hosts(engine, partial(listener, plain=writer.as_json)))
