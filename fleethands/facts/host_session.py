"""
What this process remembers of each host between two operations.

pyinfra passes an operation only pyinfra's own context, so the session is found by the context's host.
Commands are counted by name in the engine's ConnectionMonitor, because a rollback within a run has new host objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyinfra.api.host import Host
from pyinfra.context import ctx_host, ctx_state

from fleethands.facts import foreign_operations
from fleethands.facts.ask_host import ask_host
from fleethands.facts.probe import Probe
from fleethands.facts.probe_cache import ProbeCache
from fleethands.facts.probe_request import ProbeRequest
from fleethands.settings import HostSettings


@dataclass
class HostSession:
    """
    One host in this process.

    + probes: its cached probe
    + decisions: of its operations, in order (operations/core/journal.py)
    + lock_token: id of the run that locked it, empty without a lock (operations/core/lock_token.py)
    + own_operations: hashes, as pyinfra has them, of the operations that fleethands made
    + foreign_changes: how many other operations had changed it when it was read last
    + tasks: those that the deploy files called so far (tasks/calls.py)
    + noted: how many pending foreign operations its plan has named
    + planned: hash of each operation in the plan → what decides it for a probe (operations/core/look_ahead.py)
    + sequence: the latest one that was sent, which may answer the next probe (operations/core/sequence.py)
    + is_stopping: no further operation starts
    """

    probes: ProbeCache = field(default_factory=ProbeCache)
    decisions: list[Any] = field(default_factory=list)
    lock_token: str = ""
    own_operations: set[str] = field(default_factory=set)
    foreign_changes: int = 0
    tasks: list[Any] = field(default_factory=list)
    noted: int = 0
    planned: dict[str, Any] = field(default_factory=dict)
    sequence: Any = None
    is_stopping: bool = False

    def stop(self) -> None:
        """Complete the operation that is at work, and start no other."""
        self.is_stopping = True
        if self.sequence:
            self.sequence.stop()

    def drop_sequence(self) -> None:
        """Wait for nothing more from the sequence, and forget its scripts and its probe."""
        if self.sequence:
            self.sequence.abandon()
        self.sequence = None


_SESSION = "fleethands_session"  # a host's attribute: each operation looks for it several times


def session_of(host: Any) -> HostSession:
    """
    The session of a host, the same one each time.

    + host: pyinfra's
    """
    found: HostSession | None = getattr(host, _SESSION, None)
    if found is None:
        found = HostSession()
        setattr(host, _SESSION, found)
    return found


def current_session() -> HostSession:
    """The session of the host of pyinfra's context."""
    return session_of(ctx_host.get())


def get_probe(settings: HostSettings) -> Probe:
    """
    The probe of the context's host: as it is while operations run, as it will be while a plan is made.

    Raises ProbeError where the host does not answer, or its answer cannot be read.
    """
    host: Host = ctx_host.get()
    executing = ctx_state.get().is_executing
    session = session_of(host)
    if executing:
        _notice_foreign_changes(host, session)
    return session.probes.get(settings, lambda request: _read(host, session, request), executing=executing)


def _read(host: Host, session: HostSession, request: ProbeRequest) -> Probe:
    """The probe that came with a change, or a new one."""
    answer: Probe | None = session.sequence.probe(request) if session.sequence else None
    return answer or ask_host(host, request)


def _notice_foreign_changes(host: Host, session: HostSession) -> None:
    changes = foreign_changes()
    if changes != session.foreign_changes or foreign_operations.is_nested(host):
        session.probes.outdate()
        session.drop_sequence()  # its probe was made before those changes
    session.foreign_changes = changes


def foreign_changes() -> int:
    """How many operations that are not fleethands' own have sent commands to the context's host in this run."""
    host: Host = ctx_host.get()
    return foreign_operations.count_executed(ctx_state.get(), host, session_of(host).own_operations)


def pending_foreign_operations() -> list[str]:
    """Names of the operations of others that the plan has so far for the context's host, and that will change it."""
    host: Host = ctx_host.get()
    return foreign_operations.name_pending(ctx_state.get(), host, session_of(host).own_operations)


def cached_probe(host: Any) -> Probe | None:
    """The latest answer of a host, None where it never answered."""
    return session_of(host).probes.latest


def probed_settings(host: Any) -> HostSettings | None:
    """The settings that the latest answer was read for: in a rollback, those of a release record."""
    return session_of(host).probes.settings


def predict(probe: Probe) -> None:
    """While a plan is made: later operations on the context's host start from this probe."""
    current_session().probes.predict(probe)


def predicted() -> Probe:
    """The context's host after the changes that the plan has so far."""
    return current_session().probes.predicted


def invalidate(host: Any = None) -> None:
    """
    Read a host again before the next decision, because something changed on it.

    + host: None for the context's
    """
    session_of(host or ctx_host.get()).probes.invalidate()


def forget(host: Any) -> None:
    """Drop what is remembered of a host with nothing left to do."""
    setattr(host, _SESSION, None)


def refuse() -> None:
    """While a plan is made: skip the later operations on the context's host."""
    current_session().probes.refuse()
