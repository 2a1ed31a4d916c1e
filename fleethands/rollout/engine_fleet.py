"""The hosts of a rollout, by way of the engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from fleethands.deploy_options import DeployOptions
from fleethands.locks.run_locks import Locks
from fleethands.operations.core.decision import Change
from fleethands.operations.rollback import rollback
from fleethands.report.model import HostReport, Report
from fleethands.rollout import build_report, external_checks
from fleethands.rollout.drains import Drains
from fleethands.rollout.port_checks import PortChecks
from fleethands.rollout.rollout import Rollout
from fleethands.rollout.shared_downloads import SharedDownloads
from fleethands.rollout.strategy import RolloutStrategy

if TYPE_CHECKING:  # their import patches the standard library
    from fleethands.engine.engine import Engine
    from fleethands.engine.progress import ProgressListener


def roll_out(
    engine: Engine, plan: Report, strategy: RolloutStrategy, listener: ProgressListener, locks: Locks
) -> Report:
    """Roll a plan out; `locks` has the lock of every host that is pending."""
    with SharedDownloads(engine, plan, listener.phase) as shared:
        drains = Drains(engine, strategy.drain_timeout, listener.phase)
        fleet = EngineFleet(engine, plan, listener, drains, shared)
        report = Rollout(fleet, plan, strategy, locks, listener.phase).run()
        shared.add_notes(report)
        drains.add_notes(report)
    return report


class EngineFleet:
    """
    Implements `Fleet`.

    + plan: the report of the plan that the engine made
    + drains: the gateways that send requests to its hosts; shared: the relays of the run
    """

    def __init__(
        self, engine: Engine, plan: Report, listener: ProgressListener, drains: Drains, shared: SharedDownloads
    ) -> None:
        self._drains, self._shared = drains, shared
        self._engine, self._plan, self._listener = engine, plan, listener
        self._ports = PortChecks()

    @property
    def names(self) -> Sequence[str]:
        return self._engine.names

    @property
    def gateways(self) -> Mapping[str, Collection[str]]:
        return self._drains.gateways

    def take_out(self, names: Collection[str]) -> str:
        return self._drains.take_out(names)

    def put_back(self, names: Collection[str]) -> None:
        self._drains.put_back(names)

    @property
    def retry_command(self) -> str:
        return str(self._engine.command_line)

    def update(self, names: Sequence[str]) -> None:
        self._shared.start(names)
        self._run(self._engine, names)

    def _run(self, engine: Engine, names: Sequence[str]) -> None:
        """Run operations, and try the ports of each host while it makes its proof."""
        self._ports = PortChecks()
        engine.state.add_callback_handler(self._ports)
        try:
            engine.run(names, self._listener)
        finally:
            engine.state.callback_handlers.remove(self._ports)

    def result(self, name: str) -> HostReport | None:
        if name not in self._engine.host_runs:
            return None
        return build_report.host_run_report(self._engine, name, self._plan.hosts[name])

    def was_interrupted(self, name: str) -> bool:
        return self._engine.host_runs[name].interrupted

    def check_from_outside(self, report: Report, names: Sequence[str]) -> None:
        external_checks.run_external_checks(self._engine, report, names, self._ports)

    def record_to_restore(self, name: str) -> str:
        """
        The current record is the last proven state. If this run's proof held and wrote a record, that record is the
        current one, and the state to restore is the previous.
        """
        decisions = (entry.decision for entry in self._engine.executed(name))
        writes_record = any(each.writes_record for each in decisions if isinstance(each, Change))
        return rollback.PREVIOUS if writes_record and self._engine.has_proven(name) else rollback.CURRENT

    def roll_back(self, names: Sequence[str], record: str) -> Mapping[str, HostReport]:
        with self._engine.for_hosts(names, DeployOptions(rollback_to=record).to_host_data()) as other:
            other.plan("rollback.py")
            plan = build_report.plan_report(other, "rollback")
            self._run(other, [name for name in names if plan.hosts[name].status == "pending"])
            report = build_report.run_report(other, plan)
            external_checks.run_external_checks(other, report, names, self._ports)
        return report.hosts

    def stop(self) -> None:
        self._drains.stop()
        self._engine.stop()

    def disconnect(self, name: str) -> None:
        self._engine.disconnect(name)

    def remote_commands(self, name: str) -> int:
        return self._engine.monitor.commands.get(name, 0)

    def complete(self, report: Report) -> Report:
        return build_report.complete_report(self._engine, report)
