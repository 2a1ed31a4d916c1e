"""`fleethands verify`."""

from __future__ import annotations

from contextlib import closing

from fleethands.cli.output.finish import finish
from fleethands.cli.output.progress import listener
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import open_checked_hosts, plan_connected
from fleethands.deploy_options import DeployOptions
from fleethands.engine.engine import Engine
from fleethands.engine.interrupts import Interrupts
from fleethands.report.model import Report
from fleethands.rollout import build_report, external_checks


def run(writer: ReportWriter, checksums: bool, conversation: bool) -> int:
    options = DeployOptions(checksums=checksums, conversation=conversation)
    engine = open_checked_hosts(writer, options)
    with closing(engine):
        report = _plan_and_prove(engine, plain=writer.as_json)
    return finish(writer, report)


def _plan_and_prove(engine: Engine, *, plain: bool) -> Report:
    try:
        with Interrupts():
            engine.connect()
        plan = plan_connected(engine, "verify.py")
    except KeyboardInterrupt:
        return build_report.interrupted_read_report(engine, "verify", ())
    return _prove(engine, plan, plain=plain)


def _prove(engine: Engine, plan: Report, *, plain: bool) -> Report:
    pending = [name for name, host in plan.hosts.items() if host.status == "pending"]
    try:
        with listener(pending, plain=plain) as progress, Interrupts():
            engine.run(pending, progress)
        report = build_report.proof_report(engine, plan)
        with Interrupts():
            external_checks.run_external_checks(engine, report, engine.names)
    except KeyboardInterrupt:
        return build_report.interrupted_proof_report(engine, plan)
    return report
