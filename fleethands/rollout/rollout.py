"""Takes a plan to its hosts, canary first, batch by batch, and stops itself; a host that failed goes back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fleethands.deploy_options import DeployOptions
from fleethands.engine.interrupts import Interrupts
from fleethands.locks.run_locks import Locks
from fleethands.operations.core.decision import Change
from fleethands.operations.rollback import rollback
from fleethands.report.model import BAD, HostReport, Report
from fleethands.rollout import build_report, external_checks
from fleethands.rollout.strategy import Batch, RolloutStrategy

if TYPE_CHECKING:  # their import patches the standard library
    from fleethands.engine.engine import Engine
    from fleethands.engine.progress import ProgressListener

UNSUCCESSFUL = ("failed", "rolled-back")


class Rollout:
    """
    One plan, taken to its hosts.

    + locks: of all hosts that it will change; they are given back as these are done
    """

    def __init__(
        self, engine: Engine, plan: Report, manner: RolloutStrategy, listener: ProgressListener, locks: Locks
    ) -> None:
        self._engine, self._plan, self._manner, self._listener, self._locks = engine, plan, manner, listener, locks
        self._pending = [name for name, host in plan.hosts.items() if host.status == "pending"]
        self._report = Report(plan.command, {}, plan.started, words=plan.words)
        self._why = ""  # it goes no further
        self._goes_back = False  # hosts do, now

    def run(self) -> Report:
        """Every host is one of: changed, unchanged, rolled-back, failed, refused, unreachable, not-run."""
        at: tuple[str, ...] = ()
        with Interrupts(self._stop):
            try:
                self._begin()
                for group in self._manner.groups(self._pending, self._engine.names):
                    if self._why:
                        break
                    at = tuple(name for name in group.names if name not in self._report.hosts)
                    self._take(group, at)
            except KeyboardInterrupt:
                self._stop()
            finally:
                self._gather(at)
                self._locks.release()
        return self._finished()

    def _begin(self) -> None:
        order, canary = self._manner.order, self._manner.canary
        if order.seed is not None:
            self._listener.phase(f"order: {order}")
        for name in set(self._engine.names) - set(self._pending):
            self._engine.disconnect(name)
        first = canary.of(order.of(self._engine.names), self._engine.names) if canary and canary.is_name else []
        bad = [name for name in first if self._plan.hosts[name].status in BAD]
        if bad:
            self._why = f"the canary {bad[0]} is {self._plan.hosts[bad[0]].status}"

    def _stop(self) -> None:
        """Hosts finish the step that they are at; those that go back, do so to the end."""
        if not self._why:
            what = "what goes back does so to its end" if self._goes_back else "each host finishes its step"
            self._listener.phase(f"interrupted: {what}; once more ends it at once")
        self._why, self._report.interrupted = "it was interrupted", True
        self._engine.stop()

    def _take(self, group: Batch, names: tuple[str, ...]) -> None:
        """One group through its operations and the gate: its hosts' own proofs, and what this machine sees of them."""
        if names and not self._engine.stopping:
            self._listener.phase(f"{group.label}: {', '.join(names)}")
            self._engine.run(names, self._listener)
            self._gather(names)
            external_checks.run_external_checks(self._engine, self._report, names)
            self._go_back([name for name in names if self._report.hosts[name].status == "failed"])
            self._locks.release(names)
            for name in names:
                self._engine.disconnect(name)
        self._judge(group)

    def _gather(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._engine.host_runs and name not in self._report.hosts:
                self._report.hosts[name] = build_report.host_run_report(self._engine, name, self._plan.hosts[name])

    def _go_back(self, failed: list[str]) -> None:
        """Failed hosts go to what was proven last; those whose proof has just been written down, to what was before."""
        failed = [name for name in failed if self._changed(name) and not self._engine.host_runs[name].interrupted]
        if not self._manner.back:
            return
        if self._engine.stopping:
            for name in failed:
                self._report.hosts[name].notes.append("not rolled back: the run was interrupted")
            return
        noted = [name for name in failed if self._engine.has_proven(name) and self._is_noted(name)]
        unnoted = [name for name in failed if name not in noted]
        for names, record in ((unnoted, rollback.CURRENT), (noted, rollback.PREVIOUS)):
            if names:
                self._go_back_to_or_say(record, names)

    def _is_noted(self, name: str) -> bool:
        """Whether its proof wrote down something new; after a repair of drift alone, the record stays as it is."""
        decisions = (entry.decision for entry in self._engine.executed(name))
        return any(each.writes_record for each in decisions if isinstance(each, Change))

    def _changed(self, name: str) -> bool:
        """Whether anything was to change there: a proof alone is nothing to go back from."""
        return any(change.task != build_report.PROOF_TASK for change in self._plan.hosts[name].changes)

    def _go_back_to_or_say(self, place: str, names: list[str]) -> None:
        self._goes_back = True
        try:
            self._go_back_to(place, names)
        except KeyboardInterrupt:
            for name in names:
                self._report.hosts[name].notes.append("it was going back when it was interrupted; the next run goes on")
            raise
        finally:
            self._goes_back = False

    def _go_back_to(self, place: str, names: list[str]) -> None:
        self._listener.phase(f"rollback: {', '.join(names)}")
        with self._engine.for_hosts(names, DeployOptions(rollback_to=place).to_host_data()) as other:
            other.plan("rollback.py")
            plan = build_report.plan_report(other, "rollback")
            other.run([name for name in names if plan.hosts[name].status == "pending"], self._listener)
            went = build_report.run_report(other, plan)
            external_checks.run_external_checks(other, went, names)
        for name in names:
            self._report.hosts[name] = build_report.after_rollback(self._report.hosts[name], went.hosts[name])

    def _judge(self, group: Batch) -> None:
        """Whether it goes on."""
        stopped = [name for name in group.names if self._status(name) in BAD]
        broken = [name for name in self._pending if self._status(name) in UNSUCCESSFUL]
        if group.canary and stopped:
            self._why = self._why or f"the canary failed: {', '.join(stopped)}"
        elif broken and self._manner.is_over(len(broken), len(self._engine.names)):
            self._why = self._why or f"{len(broken)} of {len(self._pending)} failed: {', '.join(broken)}"

    def _status(self, name: str) -> str:
        host = self._report.hosts.get(name)
        return host.status if host else ""

    def _finished(self) -> Report:
        hint = f"take up what is left: `{self._engine.command_line}`"
        for name, host in self._plan.hosts.items():
            if host.status == "pending" and name not in self._report.hosts:
                notes = host.notes
                left = HostReport("not-run", f"the rollout ended before it: {self._why}", [hint], notes=notes)
                left.remote_commands = self._engine.monitor.commands.get(name, 0)
                left.probe, left.secrets = host.probe, host.secrets
                self._report.hosts[name] = left
            else:
                self._report.hosts.setdefault(name, host)
        return build_report.complete_report(self._engine, self._report)
