"""Rolls a plan out: canary first, then batch by batch. Hosts that fail are rolled back; enough failures stop it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from fleethands.engine.interrupts import Interrupts
from fleethands.report.model import BAD, HostReport, Report
from fleethands.rollout.build_report import PROOF_TASK, after_rollback
from fleethands.rollout.gateway_batches import keep_serving
from fleethands.rollout.state import Phase, RolloutState
from fleethands.rollout.strategy import Batch, RolloutStrategy

UNSUCCESSFUL = ("failed", "rolled-back")
RETURNED = ("changed", "unchanged", "rolled-back", "not-run")  # a host that is `not-run` was not touched


class Fleet(Protocol):
    """The hosts of a run: changes them, checks them, rolls them back."""

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def gateways(self) -> Mapping[str, Collection[str]]:
        """Host with a gateway → the hosts behind it."""

    @property
    def retry_command(self) -> str:
        """Updates the hosts that this rollout leaves out."""

    def take_out(self, names: Collection[str]) -> str:
        """Let no gateway send requests to these hosts, and wait for those under way. Returns why that is impossible."""

    def put_back(self, names: Collection[str]) -> None:
        """Let the gateways send requests to these hosts again."""

    def update(self, names: Sequence[str]) -> None:
        """Run the plan's operations. Raises KeyboardInterrupt when it is thrown in, after it has stopped them."""

    def result(self, name: str) -> HostReport | None:
        """What the operations did to a host; None for a host that they have not reached."""

    def was_interrupted(self, name: str) -> bool: ...

    def check_from_outside(self, report: Report, names: Sequence[str]) -> None:
        """Add to the report what only this machine can check of the hosts that were proven."""

    def record_to_restore(self, name: str) -> str:
        """The release record for a rollback: `current` or `previous`."""

    def roll_back(self, names: Sequence[str], record: str) -> Mapping[str, HostReport]:
        """Each of these hosts as the rollback left it."""

    def stop(self) -> None:
        """Let hosts finish the operation that they are at, and begin no other."""

    def disconnect(self, name: str) -> None: ...

    def remote_commands(self, name: str) -> int:
        """How many commands were sent to a host."""

    def complete(self, report: Report) -> Report:
        """The report with times and without secrets."""


class HostLocks(Protocol):
    """The locks of all hosts that a rollout will change."""

    def release(self, names: Iterable[str] | None = None) -> None:
        """Release the locks of these hosts, or all."""


class Rollout:
    """
    One plan, rolled out to the hosts that have pending changes.

    + locks: released host by host, as their batch is done
    + announce: is given each step of the rollout as one line of text
    """

    def __init__(
        self, fleet: Fleet, plan: Report, strategy: RolloutStrategy, locks: HostLocks, announce: Callable[[str], None]
    ) -> None:
        self._fleet, self._plan, self._strategy, self._locks, self._announce = fleet, plan, strategy, locks, announce
        self._pending = [name for name, host in plan.hosts.items() if host.status == "pending"]
        self._report = Report(plan.command, {}, plan.started, words=plan.words)
        self._state = RolloutState()

    def run(self) -> Report:
        """Every host ends as one of: changed, unchanged, rolled-back, failed, refused, unreachable, not-run."""
        with Interrupts(self._interrupt):
            try:
                self._begin()
                batches = self._strategy.batches(self._pending, self._fleet.names)
                for batch in keep_serving(batches, self._serving()):
                    if self._state.is_over:
                        break
                    self._update(batch)
                    self._stop_if_too_many_failed(batch)
            except KeyboardInterrupt:
                self._interrupt()
            finally:
                self._collect(self._pending)
                self._locks.release()
        return self._complete()

    def _serving(self) -> dict[str, list[str]]:
        """Host with a gateway → the hosts behind it, without those that are known to be bad."""
        bad = {name for name, host in self._plan.hosts.items() if host.status in BAD}
        return {each: [name for name in behind if name not in bad] for each, behind in self._fleet.gateways.items()}

    def _begin(self) -> None:
        order, canary = self._strategy.order, self._strategy.canary
        if order.seed is not None:
            self._announce(f"order: {order}")
        for name in set(self._fleet.names) - set(self._pending):
            self._fleet.disconnect(name)
        self._fleet.put_back([name for name, host in self._plan.hosts.items() if host.status == "unchanged"])
        if canary and canary.is_name:
            for name in canary.select(order.sort(self._fleet.names), self._fleet.names):
                if self._plan.hosts[name].status in BAD:
                    self._state.stop(f"the canary {name} is {self._plan.hosts[name].status}")

    def _interrupt(self) -> None:
        """The first Ctrl-C: hosts finish the step that they are at, and rollbacks finish."""
        if not self._state.is_over:
            rolling_back = self._state.phase is Phase.ROLLING_BACK
            what = "finishing rollbacks in progress" if rolling_back else "each host finishes its current step"
            self._announce(f"interrupted: {what} (press Ctrl-C again to abort)")
        self._state.interrupt()
        self._fleet.stop()

    def _update(self, batch: Batch) -> None:
        """Take one batch through its operations, its hosts' own proofs and the checks from this machine."""
        self._announce(f"{batch.label}: {', '.join(batch.names)}")
        try:
            if why := self._fleet.take_out([name for name in batch.names if self._is_changed(name)]):
                self._state.stop(why)
        except KeyboardInterrupt:
            self._fleet.put_back(batch.names)
            raise
        if self._state.is_over:  # a user may have interrupted the wait
            self._fleet.put_back(batch.names)
            return
        self._fleet.update(batch.names)
        self._collect(batch.names)
        self._fleet.check_from_outside(self._report, batch.names)
        self._roll_back_failures([name for name in batch.names if self._status(name) == "failed"])
        self._fleet.put_back([name for name in batch.names if self._status(name) in RETURNED])
        self._locks.release(batch.names)
        for name in batch.names:
            self._fleet.disconnect(name)

    def _collect(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._report.hosts and (result := self._fleet.result(name)):
                self._report.hosts[name] = result

    def _roll_back_failures(self, failed: Iterable[str]) -> None:
        if not self._strategy.rolls_back:
            return
        failed = [name for name in failed if self._is_changed(name) and not self._fleet.was_interrupted(name)]
        if self._state.phase is Phase.INTERRUPTED:
            for name in failed:
                self._report.hosts[name].notes.append("not rolled back: the run was interrupted")
            return
        records = {name: self._fleet.record_to_restore(name) for name in failed}
        for record in sorted(set(records.values())):
            self._roll_back([name for name in failed if records[name] == record], record)

    def _is_changed(self, name: str) -> bool:
        """Whether more than a proof was pending there: a proof alone leaves nothing to roll back."""
        return any(change.task != PROOF_TASK for change in self._plan.hosts[name].changes)

    def _roll_back(self, names: Sequence[str], record: str) -> None:
        with self._state.rolling_back():
            self._announce(f"rollback: {', '.join(names)}")
            try:
                rolled_back = self._fleet.roll_back(names, record)
            except KeyboardInterrupt:
                for name in names:
                    self._report.hosts[name].notes.append("interrupted during rollback; the next run will finish it")
                raise
        for name in names:
            self._report.hosts[name] = after_rollback(self._report.hosts[name], rolled_back[name])

    def _stop_if_too_many_failed(self, batch: Batch) -> None:
        bad = [name for name in batch.names if self._status(name) in BAD]
        failed = [name for name in self._pending if self._status(name) in UNSUCCESSFUL]
        if batch.canary and bad:
            self._state.stop(f"the canary failed: {', '.join(bad)}")
        elif failed and self._strategy.has_reached_limit(len(failed), len(self._fleet.names)):
            self._state.stop(f"{len(failed)} of {len(self._pending)} failed: {', '.join(failed)}")

    def _status(self, name: str) -> str:
        host = self._report.hosts.get(name)
        return host.status if host else ""

    def _complete(self) -> Report:
        self._report.interrupted = self._state.phase is Phase.INTERRUPTED
        for name, host in self._plan.hosts.items():
            left_out = host.status == "pending" and name not in self._report.hosts
            self._report.hosts.setdefault(name, self._not_run(name, host) if left_out else host)
        return self._fleet.complete(self._report)

    def _not_run(self, name: str, plan: HostReport) -> HostReport:
        reason = f"the rollout stopped before this host: {self._state.stop_reason}"
        host = HostReport("not-run", reason, [f"update the remaining hosts: `{self._fleet.retry_command}`"])
        host.notes, host.probe, host.secrets, host.packed = plan.notes, plan.probe, plan.secrets, plan.packed
        host.remote_commands = self._fleet.remote_commands(name)
        return host
