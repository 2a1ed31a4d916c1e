"""One run at a time has a host: taken host by host in their order, held by a sign of life, given back at the end."""

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
from fleethands.locks.lock_session import LockSession, LockSessionError
from fleethands.operations.core import lock_token, provenance
from fleethands.operations.lock.lock import HELD, KEPT, LOCKED, STUCK, LockReply, lock_script
from fleethands.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine
    from fleethands.report.model import Report

HEARTBEAT_INTERVAL = 15.0  # seconds between two signs of life
RETRY_INTERVAL = 1.0  # seconds between two tries of a run that waits
Refusal = tuple[str, list[str]]


class Locks:
    """
    The locks of one run.

    + reason: what the run does, for whoever finds a host locked
    + wait: seconds to wait for other runs; a person is never waited for

    `taken`: hosts that somebody else has; `refused`: hosts that can't be locked; each with the reason and hints.
    """

    def __init__(self, engine: Engine, reason: str, wait: float = 0.0) -> None:
        self._engine, self._wait = engine, wait
        self.lock = new_lock(reason)
        self.taken: dict[str, Refusal] = {}
        self.refused: dict[str, Refusal] = {}
        self.notes: dict[str, str] = {}
        self._holders: dict[str, LockSession] = {}
        self._signs: Any = None

    def take(self, names: Sequence[str]) -> None:
        """
        Lock these hosts, or none of them where one is `taken`. One that can't be locked is left out alone.

        They are asked one after the other in their order, as every run does: so of two runs one gets them all, and none
        waits for one that waits for it. A host that another run had since it was asked is asked anew, and so is one
        whose run went away without a word.
        """
        names = sorted(set(names) - self._holders.keys())
        deadline = time.monotonic() + self._wait
        opened = self._open(names)
        self._signs = self._signs or gevent.spawn(self._sign)
        for name in names:
            if name not in self.refused and not self.taken:
                self._ask(name, opened[name], deadline)
        self.release(None if self.taken else self.refused)

    def release(self, names: Iterable[str] | None = None) -> None:
        """Give these hosts back, or every one."""
        wanted = self._holders if names is None else names
        given = {name: self._holders.pop(name) for name in list(wanted) if name in self._holders}
        if self._signs is not None and not self._holders:
            self._signs.kill()
            self._signs = None
        gevent.joinall([gevent.spawn(each.close) for each in given.values()])
        for name in given:
            lock_token.set_token(self._engine.host(name), "")

    def _open(self, names: Sequence[str]) -> dict[str, LockSession]:
        """A process on each host that can take its lock; all begin at once, as that takes longest."""
        text = lock_script("hold", self.lock, lease=str(LEASE)).text
        opened = {name: LockSession(self._engine.host(name)) for name in names}
        begun = {name: gevent.spawn(self._begin, name, each, text) for name, each in opened.items()}
        gevent.joinall(list(begun.values()))
        self._holders |= opened
        return opened

    def _begin(self, name: str, opened: LockSession, text: str) -> None:
        self._engine.watch.commands[name] = self._engine.watch.commands.get(name, 0) + 1
        try:
            opened.begin(text)
        except LockSessionError as error:
            self._refuse(name, error)

    def _refuse(self, name: str, error: LockSessionError) -> None:
        look = f"see what it says: {self._engine.command_line.reach_only('lock status', name)}"
        self.refused[name] = sanitize_line(str(error)), [*error.hints] or [look]

    def _ask(self, name: str, opened: LockSession, deadline: float) -> None:
        try:
            answer = opened.ask("t")
            while answer.word == HELD and time.monotonic() < deadline:
                gevent.sleep(RETRY_INTERVAL)
                answer = opened.ask("t")
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
            self.notes[name] = sanitize_line(f"took over the lock of {before.run}; that run went away without a word")
        seen = facts.cached_probe(host)
        same = seen is not None and seen.knows("lock") and seen.lock.turn == before.turn
        if seen is not None and (not same or before.run is not None):  # a step of theirs may have gone on since
            facts.outdate(host)

    def _sign(self) -> None:
        while True:
            gevent.sleep(HEARTBEAT_INTERVAL)
            for each in list(self._holders.values()):
                gevent.spawn(each.sign)  # a connection that stands still holds up no other's


def refuse_hosts(engine: Engine, plan: Report, refused: Mapping[str, Refusal]) -> None:
    """
    Refuse these hosts of a plan, and no other.

    + plan: its report
    """
    for name, (reason, hints) in refused.items():
        host = plan.hosts[name]
        host.status, host.reason, host.hints, host.changes = "refused", reason, hints, []
        host.remote_commands = engine.watch.commands.get(name, 0)
        host.mask_all(engine.mask)


def locked_report(engine: Engine, plan: Report, taken: Mapping[str, Refusal]) -> Report:
    """
    The report of a run that did not begin, as somebody else has a host of it.

    + plan: the report of its plan
    """
    refuse_hosts(engine, plan, taken)
    for name, host in plan.hosts.items():
        host.remote_commands = engine.watch.commands.get(name, 0)
        if host.status == "pending":
            host.status, host.reason, host.changes = "not-run", f"{', '.join(taken)} of this run is locked", []
    return plan


def new_lock(reason: str) -> Lock:
    """A lock in this process's name."""
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    text = " ".join(reason.split())
    return Lock(provenance.user(), socket.gethostname(), os.getpid(), secrets.token_hex(4), text, since)


def explain_refusal(answer: LockReply, line: CommandLine, name: str) -> Refusal:
    """
    Why a host can't be locked, and what to type.

    + line: what was typed; a command that changes hosts can wait for their locks
    """
    release = line.reach_only("lock release", name)
    if answer.word == KEPT:
        return sanitize_line(f"locked by {answer.before.hold}"), [f"ask them; only if it was forgotten: {release}"]
    if answer.word == HELD:
        whose = answer.before.run or "another run that has not said its name yet"
        waiting = (
            [f"wait for it: {line.without('--lock-wait').repeated} --lock-wait 600"] if line.command in CHANGING else []
        )
        ends = f"if its machine died, its lock ends by itself within {LEASE} s; to take it away now: {release}"
        return sanitize_line(f"locked by {whose}"), [*waiting, ends]
    if answer.word == STUCK:
        look = f"see which process there has it: fuser -v {paths.RUN_LOCK}"
        return "its lock stays held by a process that can't be ended from here", [look]
    return f"its lock can't be written ({paths.LOCK_TOKEN})", ["on the host: df -h /run /var/lib"]
