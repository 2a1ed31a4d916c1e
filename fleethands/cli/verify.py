"""`fleethands verify`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.fleet import checked, chosen, fleet_options, spoken
from fleethands.cli.keeping import report_options
from fleethands.cli.showing import finish, plan_of

if TYPE_CHECKING:
    from fleethands.rollout.engine import Engine
    from fleethands.rollout.report import Report


@click.command()
@fleet_options
@report_options
@click.option("--blobs", is_flag=True, help="Read every byte of the models, too; a broken blob is taken away.")
@click.option("--deep", is_flag=True, help="Hold a conversation in OpenHands, too; it is removed afterwards.")
def verify(target: str | None, as_json: bool, blobs: bool, deep: bool, **options: Any) -> None:
    """Ask each host's model a question along the whole way; nothing is set up. Exit 0: proven, 1: a link is broken."""
    target = chosen(target)
    engine = checked(target, extra={"verify_blobs": blobs, "verify_deep": deep}, **options)
    with closing(engine):
        report = _proven(engine, as_json)
    words = [spoken(target, **options), *(["--blobs"] if blobs else []), *(["--deep"] if deep else [])]
    finish(report, as_json, " ".join(words))


def _proven(engine: Engine, as_json: bool) -> Report:
    from fleethands.rollout import reporting  # noqa: PLC0415
    from fleethands.rollout.interrupts import Interrupts  # noqa: PLC0415

    try:
        with Interrupts():
            engine.connect()
        plan = plan_of(engine, "verify", "verify.py")
    except KeyboardInterrupt:
        return reporting.cut_short(engine, "verify", ())
    return _tried(engine, plan, as_json)


def _tried(engine: Engine, plan: Report, as_json: bool) -> Report:
    from fleethands.cli.progress import listener  # noqa: PLC0415
    from fleethands.rollout import outside, reporting  # noqa: PLC0415
    from fleethands.rollout.interrupts import Interrupts  # noqa: PLC0415

    pending = [name for name, host in plan.hosts.items() if host.status == "pending"]
    try:
        with listener(pending, plain=as_json) as told, Interrupts():
            engine.run(pending, told)
        report = reporting.verified(engine, plan)
        with Interrupts():
            outside.look(engine, report, engine.names)
    except KeyboardInterrupt:
        return reporting.proven_so_far(engine, plan)
    return report
