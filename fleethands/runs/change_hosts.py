"""Changes hosts: plan, confirmation, locks, rollout."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace

from fleethands.command_line import CommandLine
from fleethands.engine.engine import Engine
from fleethands.engine.interrupts import Interrupts
from fleethands.engine.progress import ProgressListener
from fleethands.locks import run_locks
from fleethands.report.model import Report
from fleethands.rollout import build_report
from fleethands.rollout.engine_fleet import roll_out
from fleethands.rollout.strategy import RolloutStrategy
from fleethands.runs.read_hosts import plan_hosts

Listen = Callable[[list[str]], AbstractContextManager[ProgressListener]]  # takes the names of the hosts to change
ALL_AT_ONCE = RolloutStrategy(rolls_back=False)


@dataclass(frozen=True)
class HostChanges:
    """
    How one run changes hosts.

    + deploy: file of the project
    + strategy: without one, all hosts are changed at once, and a host that fails stays as it is
    + lock_wait: seconds to wait for the locks of other runs
    + run: the run id
    """

    deploy: str
    strategy: RolloutStrategy = ALL_AT_ONCE
    lock_wait: float = 0.0
    run: str = field(default_factory=run_locks.new_run_id)

    def without_foreign_canary(self, engine: Engine, announce: Callable[[str], None]) -> HostChanges:
        """The same without a canary that is not among the hosts of this run, because another run takes it."""
        canary = self.strategy.canary
        if canary is None or not canary.is_in_another_part(engine.names, engine.fleet):
            return self
        announce(f"canary {canary.word} is not among the selected hosts; continuing without a canary")
        return replace(self, strategy=replace(self.strategy, canary=None))


def change_hosts(
    engine: Engine,
    changes: HostChanges,
    listen: Listen,
    announce: Callable[[str], None],
    confirm: Callable[[Report], None] | None = None,
) -> Report:
    """
    Plan and change hosts that are not connected yet.

    + listen: to what happens meanwhile; announce: is called with one line
    + confirm: is called with the plan if there is something to do, and raises FleethandsError to end the run

    Raises FleethandsError; InvalidOption before anything is connected.
    """
    changes = changes.without_foreign_canary(engine, announce)
    changes.strategy.batches(engine.names, engine.names)  # raises InvalidOption
    with closing(engine):
        report = _plan_and_roll_out(engine, changes, listen, confirm)
    report.command = engine.command_line.command
    return report


def _plan_and_roll_out(
    engine: Engine, changes: HostChanges, listen: Listen, confirm: Callable[[Report], None] | None
) -> Report:
    try:
        plan = plan_hosts(engine, changes.deploy, keep=True)
    except KeyboardInterrupt:
        return build_report.untouched_report(engine, engine.command_line.command)
    if not _pending(plan):
        return plan
    if confirm is not None:
        confirm(plan)
    return _lock_and_roll_out(engine, changes, listen, plan)


def _pending(plan: Report) -> list[str]:
    return [name for name, host in sorted(plan.hosts.items()) if host.status == "pending"]


def _lock_and_roll_out(engine: Engine, changes: HostChanges, listen: Listen, plan: Report) -> Report:
    locks = run_locks.Locks(engine, _lock_reason(engine.command_line), changes.lock_wait, changes.run)
    try:
        with Interrupts():
            locks.take(_pending(plan))
    except KeyboardInterrupt:
        locks.release()
        return build_report.untouched_report(engine, engine.command_line.command)
    run_locks.refuse_hosts(engine, plan, locks.refused)
    if locks.taken:
        return run_locks.locked_report(engine, plan, locks.taken)
    if not _pending(plan):
        return plan
    with listen(_pending(plan)) as progress:
        report = roll_out(engine, plan, changes.strategy, progress, locks)
    for name, note in locks.notes.items():
        report.hosts[name].notes.insert(0, note)
    return report


def _lock_reason(line: CommandLine) -> str:
    """What other users are shown of this run; values of `--data` are left out, because they may be private."""
    shown = CommandLine(line.command, line.target, line.hosts, line.exclude)
    return f"{shown.command} {shown.arguments}".rstrip()
