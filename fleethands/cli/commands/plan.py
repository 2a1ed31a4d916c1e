"""`fleethands plan`."""

from __future__ import annotations

from fleethands.cli.output.finish import finish
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import open_checked_hosts, read_hosts


def run(writer: ReportWriter) -> int:
    return finish(writer, read_hosts(open_checked_hosts(writer)))
