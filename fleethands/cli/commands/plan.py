"""`fleethands plan`."""

from __future__ import annotations

from fleethands.cli.bundles import check_bundles
from fleethands.cli.output.finish import finish
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import open_checked_hosts, read_hosts
from fleethands.deploy_options import DeployOptions


def run(writer: ReportWriter, bundle: tuple[str, ...]) -> int:
    options = DeployOptions(bundle=check_bundles(writer, bundle, whole=False))
    return finish(writer, read_hosts(open_checked_hosts(writer, options)))
