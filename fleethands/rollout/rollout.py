"""Takes a plan to its hosts, canary first, batch by batch, and stops itself; a host that failed goes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import gevent  # type: ignore[import-untyped]

from fleethands.rollout import outside, reporting
from fleethands.rollout.deadlines import LAST_WORDS
from fleethands.rollout.engine import Engine
from fleethands.rollout.interrupts import Interrupts
from fleethands.rollout.reach import Why
from fleethands.rollout.report import BAD, HostReport, Report
from fleethands.rollout.watch import Listener
from fleethands.rollout.words import Group, Manner

BROKEN = ("failed", "rolled-back")
BACK = {"fleethands_back": "last"}  # rollback.py: to the last record of a host that was proven


class Locks(Protocol):
    """What keeps other runs off hosts."""

    def take(self, names: Sequence[str]) -> dict[str, Why]:
        """Lock hosts; those that could not be locked, with the reason."""

    def release(self, names: Iterable[str] | None = None) -> None:
        """Give hosts free, None: all of them."""


class Rollout:
    """
    One plan, taken to its hosts.

    + deploy: of the project, by which the plan was made
    + locks: None where nothing is to be locked
    """

    def __init__(
        self, engine: Engine, plan: Report, manner: Manner, listener: Listener, locks: Locks | None = None
    ) -> None:
        self._engine, self._plan, self._manner, self._listener, self._locks = engine, plan, manner, listener, locks
        self._pending = [name for name, host in plan.hosts.items() if host.status == "pending"]
        self._report = Report(plan.command, {}, plan.started, words=plan.words)
        self._why = ""  # it goes no further

    def run(self) -> Report:
        """Every host is one of: changed, unchanged, rolled-back, failed, refused, unreachable, not-run."""
        at: tuple[str, ...] = ()
        with Interrupts(self._stop):
            try:
                self._lock()
                for group in self._manner.groups(self._pending, self._engine.names):
                    at = tuple(name for name in group.names if name not in self._report.hosts)
                    self._take(group, at)
                    if self._why:
                        break
            except KeyboardInterrupt:
                self._stop()
            finally:
                self._gather(at)
                self._unlock(None)
        return self._finished()

    def _stop(self) -> None:
        """Hosts finish the step that they are at."""
        if not self._why:
            self._listener.phase("interrupted: each host finishes its step; once more ends it at once")
        self._why, self._engine.stopping, self._report.interrupted = "it was interrupted", True, True

    def _lock(self) -> None:
        if self._locks is not None:
            for name, (reason, hints) in self._locks.take(self._manner.order.of(self._pending)).items():
                self._report.hosts[name] = HostReport("refused", reason, hints)

    def _unlock(self, names: Iterable[str] | None) -> None:
        if self._locks is not None:
            with gevent.Timeout(LAST_WORDS, False):
                self._locks.release(names)

    def _take(self, group: Group, names: tuple[str, ...]) -> None:
        """One group through its operations and the gate: its hosts' own proofs, and what this machine sees of them."""
        if names and not self._engine.stopping:
            self._listener.phase(f"{group.label}: {', '.join(names)}")
            self._engine.run(names, self._listener)
            self._gather(names)
            outside.look(self._engine, self._report, names)
            self._go_back([name for name in names if self._report.hosts[name].status == "failed"])
            self._unlock(names)
            for name in names:
                self._engine.hang_up(name)
        self._judge(group)

    def _gather(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._engine.walks and name not in self._report.hosts:
                self._report.hosts[name] = reporting.applied_one(self._engine, name, self._plan.hosts[name])

    def _go_back(self, names: list[str]) -> None:
        if not names or not self._manner.back or self._engine.stopping:
            return
        self._listener.phase(f"rollback: {', '.join(names)}")
        with self._engine.beside(names, BACK) as other:
            other.plan("rollback.py")
            plan = reporting.planned(other, "rollback")
            other.run([name for name in names if plan.hosts[name].status == "pending"], self._listener)
            back = reporting.applied(other, plan)
            outside.look(other, back, names)
        for name in names:
            self._report.hosts[name] = reporting.went_back(self._report.hosts[name], back.hosts[name])

    def _judge(self, group: Group) -> None:
        """Whether it goes on."""
        stopped = [name for name in group.names if self._status(name) in BAD]
        broken = [name for name in self._pending if self._status(name) in BROKEN]
        if group.canary and stopped:
            self._why = self._why or f"the canary failed: {', '.join(stopped)}"
        elif broken and self._manner.is_over(len(broken), len(self._pending)):
            self._why = self._why or f"{len(broken)} of {len(self._pending)} failed: {', '.join(broken)}"

    def _status(self, name: str) -> str:
        host = self._report.hosts.get(name)
        return host.status if host else ""

    def _finished(self) -> Report:
        hint = f"take up what is left: `fleethands {self._plan.command} {self._engine.watch.words}`"
        for name, host in self._plan.hosts.items():
            if host.status == "pending" and name not in self._report.hosts:
                notes = host.notes
                left = HostReport("not-run", f"the rollout ended before it: {self._why}", [hint], notes=notes)
                left.remote_commands, left.seen, left.secrets = host.remote_commands, host.seen, host.secrets
                self._report.hosts[name] = left
            else:
                self._report.hosts.setdefault(name, host)
        return reporting.whole(self._engine, self._report)
