"""`fleethands verify`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.output.finish import finish, plan_of
from fleethands.cli.output.report_files import report_options
from fleethands.cli.session import checked, chosen, fleet_options, spoken
from fleethands.deploy_options import DeployOptions

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine
    from fleethands.report.model import Report


@click.command()
@fleet_options
@report_options
@click.option("--checksums", is_flag=True, help="Read every byte of the models, too; a broken blob is taken away.")
@click.option("--conversation", is_flag=True, help="Hold a conversation in OpenHands, too; it is removed afterwards.")
def verify(target: str | None, as_json: bool, checksums: bool, conversation: bool, **options: Any) -> None:
    """Ask each host's model a question along the whole way; nothing is set up. Exit 0: proven, 1: a link is broken."""
    target = chosen(target)
    engine = checked(
        target, extra=DeployOptions(checksums=checksums, conversation=conversation).to_host_data(), **options
    )
    with closing(engine):
        report = _proven(engine, as_json)
    words = [
        spoken(target, **options),
        *(["--checksums"] if checksums else []),
        *(["--conversation"] if conversation else []),
    ]
    finish(report, as_json, " ".join(words))


def _proven(engine: Engine, as_json: bool) -> Report:
    from fleethands.engine.interrupts import Interrupts  # noqa: PLC0415
    from fleethands.rollout import build_report  # noqa: PLC0415

    try:
        with Interrupts():
            engine.connect()
        plan = plan_of(engine, "verify", "verify.py")
    except KeyboardInterrupt:
        return build_report.interrupted_read_report(engine, "verify", ())
    return _tried(engine, plan, as_json)


def _tried(engine: Engine, plan: Report, as_json: bool) -> Report:
    from fleethands.cli.output.progress import listener  # noqa: PLC0415
    from fleethands.engine.interrupts import Interrupts  # noqa: PLC0415
    from fleethands.rollout import build_report, external_checks  # noqa: PLC0415

    pending = [name for name, host in plan.hosts.items() if host.status == "pending"]
    try:
        with listener(pending, plain=as_json) as told, Interrupts():
            engine.run(pending, told)
        report = build_report.proof_report(engine, plan)
        with Interrupts():
            external_checks.run_external_checks(engine, report, engine.names)
    except KeyboardInterrupt:
        return build_report.interrupted_proof_report(engine, plan)
    return report
