"""
Locks hosts for one run: acquired in name order (so that two runs cannot deadlock), kept alive by a heartbeat, released
at the end.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]

from fleethands import facts, paths
from fleethands.command_line import CHANGING, CommandLine
from fleethands.facts.lock import LEASE, Lock, LockState
from fleethands.locks.host_shell import LockSessionError
from fleethands.locks.lock_session import LockSession
from fleethands.operations.core import lock_token, provenance
from fleethands.operations.lock.lock import HELD, KEPT, LOCKED, STUCK, LockReply, lock_script
from fleethands.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine
    from fleethands.report.model import Report

HEARTBEAT_INTERVAL = 15.0  # seconds
RETRY_INTERVAL = 1.0  # seconds between two attempts of a waiting run
Refusal = tuple[str, list[str]]


class Locks:
    """
    The locks of one run.

    + reason: what the run does, for others who find a host locked
    + wait: seconds to wait for other runs; manual locks are never waited for
    + run: the run id

    `taken`: hosts that are locked by another run or manually; `refused`: hosts that cannot be locked. Both have reasons
    and hints.
    """

    def __init__(self, engine: Engine, reason: str, wait: float = 0.0, run: str = "") -> None:
        self._engine, self._wait = engine, wait
        self.lock = new_lock(reason, run)
        self.taken: dict[str, Refusal] = {}
        self.refused: dict[str, Refusal] = {}
        self.notes: dict[str, str] = {}
        self._sessions: dict[str, LockSession] = {}
        self._heartbeats: Any = None

    def take(self, names: Sequence[str]) -> None:
        """
        Lock these hosts, or none if one is `taken`. A host that cannot be locked is only left out.

        Every run asks hosts one after the other in name order: so one of two runs gets all hosts, and no two runs wait
        for each other. The probe of a host is repeated if another run has locked the host since, or has died there.
        """
        names = sorted(set(names) - self._sessions.keys())
        deadline = time.monotonic() + self._wait
        opened, first = self._open(names)
        self._heartbeats = self._heartbeats or gevent.spawn(self._send_heartbeats)
        for name in names:
            if name not in self.refused and not self.taken:
                self._ask(name, opened[name], deadline, first.pop(name, None))
        self.release(None if self.taken else self.refused)

    def release(self, names: Iterable[str] | None = None) -> None:
        """Release the locks of these hosts, or all."""
        wanted = self._sessions if names is None else names
        given = {name: self._sessions.pop(name) for name in list(wanted) if name in self._sessions}
        if self._heartbeats is not None and not self._sessions:
            self._heartbeats.kill()
            self._heartbeats = None
        gevent.joinall([gevent.spawn(each.close) for each in given.values()])
        for name in given:
            lock_token.set_token(self._engine.host(name), "")

    def _open(self, names: Sequence[str]) -> tuple[dict[str, LockSession], dict[str, LockReply]]:
        """
        Start the lock process on all hosts at once, because starting takes longest.

        Returns it for each host, and the answer of the first host, whose process tries to take the lock at once.
        """
        opened = {name: LockSession(self._engine.host(name)) for name in names}
        begun = {name: gevent.spawn(self._begin, name, opened[name], name == names[0]) for name in names}
        try:
            gevent.joinall(list(begun.values()))
        finally:  # the first host may have a lock, so a run that a user interrupts releases it
            gevent.killall(list(begun.values()))
            self._sessions |= opened
        return opened, {name: each.value for name, each in begun.items() if name == names[0] and each.value}

    def _begin(self, name: str, opened: LockSession, is_first: bool) -> LockReply | None:
        self._engine.monitor.commands[name] = self._engine.monitor.commands.get(name, 0) + 1
        begin = "take" if is_first else "wait"
        try:
            return opened.begin(lock_script("hold", self.lock, lease=str(LEASE), begin=begin).text)
        except LockSessionError as error:
            self._refuse(name, error)
            return None

    def _refuse(self, name: str, error: LockSessionError) -> None:
        look = f"see what it says: {self._engine.command_line.reach_only('lock status', name)}"
        self.refused[name] = sanitize_line(str(error)), [*error.hints] or [look]

    def _ask(self, name: str, opened: LockSession, deadline: float, first: LockReply | None) -> None:
        try:
            answer = first or opened.acquire()
            while answer.word == HELD and time.monotonic() < deadline:
                gevent.sleep(RETRY_INTERVAL)
                answer = opened.acquire()
        except LockSessionError as error:
            self._refuse(name, error)
            return
        if answer.word == LOCKED:
            self._got(name, answer.before)
        else:
            why = self.taken if answer.word in {HELD, KEPT} else self.refused
            why[name] = explain_refusal(answer, self._engine.command_line, name)

    def _got(self, name: str, before: LockState) -> None:
        host = self._engine.host(name)
        lock_token.set_token(host, self.lock.run)
        if before.run is not None:
            self.notes[name] = sanitize_line(f"took over the lock of {before.run}: that run died")
        seen = facts.cached_probe(host)
        if seen is not None and not (seen.knows("lock") and is_unchanged(seen.lock, before)):
            facts.invalidate(host)

    def _send_heartbeats(self) -> None:
        while True:  # at once, because the first host has had the lock since before the slowest host answered
            for each in list(self._sessions.values()):
                gevent.spawn(each.send_heartbeat)  # a stalled connection delays no other
            gevent.sleep(HEARTBEAT_INTERVAL)


def is_unchanged(seen: LockState, before: LockState) -> bool:
    """
    Whether no other run can have changed a host since its probe.

    A run has the same turn while it works and after it has ended. So a host that was locked by a run when it answered
    may be different now.

    + seen: the locks as the probe found them; before: as they were when this run got the lock
    """
    return seen.run is None and before.run is None and seen.turn == before.turn


def refuse_hosts(engine: Engine, plan: Report, refused: Mapping[str, Refusal]) -> None:
    """
    Refuse these hosts of a plan.

    + plan: its report
    """
    for name, (reason, hints) in refused.items():
        host = plan.hosts[name]
        host.status, host.reason, host.hints, host.changes = "refused", reason, hints, []
        host.remote_commands = engine.monitor.commands.get(name, 0)
        host.mask_all(engine.mask)


def locked_report(engine: Engine, plan: Report, taken: Mapping[str, Refusal]) -> Report:
    """
    The report of a run that did not begin, because one of its hosts is locked.

    + plan: the report of its plan
    """
    refuse_hosts(engine, plan, taken)
    for name, host in plan.hosts.items():
        host.remote_commands = engine.monitor.commands.get(name, 0)
        if host.status == "pending":
            host.status, host.reason, host.changes = "not-run", f"{', '.join(taken)} of this run is locked", []
    return plan


def new_run_id() -> str:
    """A name for a run that no other run has."""
    return secrets.token_hex(4)


def new_lock(reason: str, run: str = "") -> Lock:
    """
    A lock of this process.

    + run: the run id; a new one if it is empty
    """
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    text = " ".join(reason.split())
    return Lock(provenance.user(), socket.gethostname(), os.getpid(), run or new_run_id(), text, since)


def explain_refusal(answer: LockReply, line: CommandLine, name: str) -> Refusal:
    """
    Why a host cannot be locked, and what to do.

    + line: what was typed; a command that changes hosts can wait for their locks
    """
    release = line.reach_only("lock release", name)
    if answer.word == KEPT:
        return sanitize_line(f"locked by {answer.before.hold}"), [f"ask them; only if it was forgotten: {release}"]
    if answer.word == HELD:
        whose = answer.before.run or "another run that has not identified itself yet"
        waiting = [f"wait for it: {line.waiting(600)}"] if line.command in CHANGING else []
        ends = f"if its machine died, its lock ends by itself within {LEASE} s; to take it away now: {release}"
        return sanitize_line(f"locked by {whose}"), [*waiting, ends]
    if answer.word == STUCK:
        look = f"see which process there has it: fuser -v {paths.RUN_LOCK}"
        return "its lock is held by a process that fleethands cannot stop", [look]
    return f"its lock cannot be written ({paths.LOCK_TOKEN})", ["on the host: df -h /run /var/lib"]
