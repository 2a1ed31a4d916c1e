"""Makes the proof on hosts, and changes no setting."""

from __future__ import annotations

from contextlib import closing

from fleethands.engine.engine import Engine
from fleethands.engine.interrupts import Interrupts
from fleethands.report.model import Report
from fleethands.rollout import build_report, external_checks
from fleethands.runs.change_hosts import Listen
from fleethands.runs.read_hosts import plan_connected


def verify_hosts(engine: Engine, listen: Listen) -> Report:
    """
    The report of a proof, link by link, for hosts that are not connected yet.

    + listen: to what happens meanwhile
    """
    with closing(engine):
        try:
            with Interrupts():
                engine.connect()
            plan = plan_connected(engine, "verify.py")
        except KeyboardInterrupt:
            return build_report.interrupted_read_report(engine, "verify", ())
        return _prove(engine, plan, listen)


def _prove(engine: Engine, plan: Report, listen: Listen) -> Report:
    pending = [name for name, host in plan.hosts.items() if host.status == "pending"]
    try:
        with listen(pending) as progress, Interrupts():
            engine.run(pending, progress)
        report = build_report.proof_report(engine, plan)
        with Interrupts():
            external_checks.run_external_checks(engine, report, engine.names)
    except KeyboardInterrupt:
        return build_report.interrupted_proof_report(engine, plan)
    return report
