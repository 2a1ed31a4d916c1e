"""Reads hosts, and reports what they lack."""

from __future__ import annotations

from contextlib import closing

from fleethands.engine.deploy_code import import_tasks_soon
from fleethands.engine.engine import Engine
from fleethands.engine.interrupts import Interrupts
from fleethands.report.model import Report
from fleethands.rollout import build_report


def connect(engine: Engine) -> Engine:
    """Connect to the hosts of an engine."""
    try:
        with Interrupts():
            engine.connect()
    except BaseException:
        engine.close()
        raise
    return engine


def plan_connected(engine: Engine, deploy: str) -> Report:
    """
    The report of what connected hosts lack.

    + deploy: file of the project
    """
    with Interrupts():
        engine.plan(deploy)
    return build_report.plan_report(engine, engine.command_line.command)


def plan_hosts(engine: Engine, deploy: str = "deploy.py", *, keep: bool = False) -> Report:
    """
    Connect to hosts, and report what they lack.

    + keep: the connections to those that have something to do
    """
    import_tasks_soon()
    with Interrupts():
        engine.connect_and_plan(deploy, keep, build_report.kept_plan_report)
    return build_report.plan_report(engine, engine.command_line.command)


def read_hosts(engine: Engine) -> Report:
    """The report of hosts that are only read. If the run is interrupted, it has what is known by then."""
    with closing(engine):
        try:
            return plan_hosts(engine)
        except KeyboardInterrupt:
            return build_report.interrupted_read_report(engine, engine.command_line.command, engine.probed)
