"""A fleet without hosts: what becomes of each host is given beforehand, and every call of a rollout is kept."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import gevent  # type: ignore[import-untyped]

from fleethands.report.model import ChangeReport, HostReport, Report
from fleethands.rollout.rollout import Rollout
from fleethands.rollout.strategy import RolloutStrategy

CHANGE = ChangeReport("Ollama", "Write the unit", "ollama.service", "missing", "as declared")


def plan(*names: str, **others: HostReport) -> Report:
    """A plan with a change for each name; `others` are hosts of another status."""
    pending = {name: HostReport("pending", changes=[CHANGE]) for name in names}
    return Report("apply", {**pending, **others}, words="fleet.py")


def failed(reason: str) -> HostReport:
    return HostReport("failed", reason, changes=[CHANGE])


@dataclass
class FakeFleet:
    """
    Implements `Fleet` of fleethands/rollout/rollout.py.

    + results: what an update makes of a host; `changed` where it says nothing
    + open_ports: hosts that the checks from this machine find open
    + rolled_back: what a rollback makes of a host; `changed` where it says nothing
    + gateways: host with a gateway → the hosts behind it; cannot_drain: why one of these cannot be taken out
    + ctrl_c: hosts during whose update, or whose rollback (`rollback NAME`), someone presses Ctrl-C, and how often

    `calls` has everything that the rollout did, in order.
    """

    names: Sequence[str]
    results: Mapping[str, HostReport] = field(default_factory=dict)
    open_ports: frozenset[str] = frozenset()
    rolled_back: Mapping[str, HostReport] = field(default_factory=dict)
    ctrl_c: Mapping[str, int] = field(default_factory=dict)
    gateways: Mapping[str, Collection[str]] = field(default_factory=dict)
    cannot_drain: Mapping[str, str] = field(default_factory=dict)
    retry_command: str = "fleethands apply fleet.py --batch 2"
    calls: list[str] = field(default_factory=list)
    stopped: bool = False
    _updated: dict[str, HostReport] = field(default_factory=dict)
    _interrupted: set[str] = field(default_factory=set)

    def take_out(self, names: Collection[str]) -> str:
        if behind := self._behind(names):
            self.calls.append(f"take out {' '.join(behind)}")
            for name in behind:
                self._press_ctrl_c(f"drain {name}")
        return next((self.cannot_drain[name] for name in behind if name in self.cannot_drain), "")

    def put_back(self, names: Collection[str]) -> None:
        if behind := self._behind(names):
            self.calls.append(f"put back {' '.join(behind)}")

    def _behind(self, names: Collection[str]) -> list[str]:
        return [name for name in names if any(name in hosts for hosts in self.gateways.values())]

    def update(self, names: Sequence[str]) -> None:
        self.calls.append(f"update {' '.join(names)}")
        for name in names:
            if self.stopped:
                self._interrupted.add(name)
                self._updated[name] = HostReport("not-run", "interrupted before it began")
            else:
                result = self.results.get(name) or HostReport("changed", changes=[CHANGE])
                self._updated[name] = replace(result, notes=[])  # a rollout adds to them
                self._press_ctrl_c(name)

    def result(self, name: str) -> HostReport | None:
        return self._updated.get(name)

    def was_interrupted(self, name: str) -> bool:
        return name in self._interrupted

    def check_from_outside(self, report: Report, names: Sequence[str]) -> None:
        for name in self.open_ports.intersection(names):
            report.hosts[name].status, report.hosts[name].reason = "failed", "port 11434 answers"

    def record_to_restore(self, name: str) -> str:
        return "previous" if name in self.open_ports else "current"

    def roll_back(self, names: Sequence[str], record: str) -> Mapping[str, HostReport]:
        self.calls.append(f"roll back {' '.join(names)} to {record}")
        for name in names:
            self._press_ctrl_c(f"rollback {name}")
        return {name: self.rolled_back.get(name) or HostReport("changed", changes=[CHANGE]) for name in names}

    def stop(self) -> None:
        self.stopped = True

    def disconnect(self, name: str) -> None:
        self.calls.append(f"disconnect {name}")

    def remote_commands(self, _: str) -> int:
        return 2

    def complete(self, report: Report) -> Report:
        return report

    def release(self, names: Iterable[str] | None = None) -> None:
        """Implements `HostLocks`."""
        self.calls.append(f"unlock {'all' if names is None else ' '.join(names)}")

    def _press_ctrl_c(self, moment: str) -> None:
        for _ in range(self.ctrl_c.get(moment, 0)):
            os.kill(os.getpid(), signal.SIGINT)
            gevent.sleep(0.05)  # the signal is handled where the main program waits


def roll_out(fleet: FakeFleet, report: Report, strategy: RolloutStrategy | None = None) -> Report:
    """Announcements are in `fleet.calls`, with a `#` before them."""
    announce = lambda text: fleet.calls.append(f"# {text}")  # noqa: E731
    return Rollout(fleet, report, strategy or RolloutStrategy(), fleet, announce).run()
