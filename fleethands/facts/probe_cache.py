"""Keeps the probe of one host: read once, predicted while a plan is made, stale after a change."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from fleethands.facts.probe import Probe
from fleethands.facts.probe_failure import ProbeFailed
from fleethands.facts.probe_request import ProbeRequest
from fleethands.settings import HostSettings

MAX_AGE = 60.0  # seconds between a plan and its confirmation after which a run reads the host again

Read = Callable[[ProbeRequest], Probe]  # raises ProbeError


class State(Enum):
    """
    What a cached probe is worth.

    FRESH: the host was so when it answered. PREDICTED: a plan has changed its copy, the host itself is unchanged.
    STALE: fleethands changed the host, and the probe must be read again. OUTDATED: someone else may have changed it, so
    that it may also lack something else now.
    """

    FRESH = "fresh"
    PREDICTED = "predicted"
    STALE = "stale"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class _Entry:
    probe: Probe
    predicted: Probe
    settings: HostSettings  # that the probe was read for
    read_at: float
    state: State = State.FRESH
    is_used_by_run: bool = False  # the current run has already used this probe

    def is_usable(self, *, executing: bool, now: float) -> bool:
        if self.state in (State.STALE, State.OUTDATED):
            return False
        return not executing or self.is_used_by_run or now - self.read_at < MAX_AGE


class ProbeCache:
    """
    The cached probe of one host.

    + clock: seconds that never jump

    Example:

        cache = ProbeCache()
        probe = cache.get(settings, read, executing=False)
        cache.predict(probe.with_file(path, file))  # state: predicted
        cache.invalidate()  # state: stale
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entry: _Entry | None = None
        self._failure: ProbeFailed | None = None
        self._is_refused = False

    def get(self, settings: HostSettings, read: Read, *, executing: bool) -> Probe:
        """
        The host as it is while operations run; as it will be at this point of the run while a plan is made.

        + read: sends a request to the host; called only where the cache has no usable probe

        Raises what `read` raises. A plan asks a host that does not run the probe only once.
        """
        entry = self._entry_for(settings)
        if entry and entry.is_usable(executing=executing, now=self._clock()):
            if entry.is_used_by_run is not executing or entry.settings is not settings:
                self._entry = replace(entry, is_used_by_run=executing, settings=settings)
            return entry.probe if executing else entry.predicted
        if self._failure and not executing:
            raise self._failure
        return self._read(settings, read, entry, executing=executing)

    def _entry_for(self, settings: HostSettings) -> _Entry | None:
        """The entry, if its probe also answers for these settings."""
        if self._entry is None:
            return None
        before = self._entry.settings
        return self._entry if before is settings or before == settings or _same_request(before, settings) else None

    def _read(self, settings: HostSettings, read: Read, stale: _Entry | None, *, executing: bool) -> Probe:
        request = ProbeRequest.create(settings, upstream=stale is None or stale.state is not State.STALE)
        try:
            probe = read(request)
        except ProbeFailed as error:
            self._failure = error
            raise
        if stale and not request.upstream:  # a change on the host changes nothing upstream
            probe = probe.replace(upstream=stale.probe.sections["upstream"])
        self._entry = _Entry(probe, probe, settings, self._clock(), is_used_by_run=executing)
        self._is_refused = False
        return probe

    @property
    def state(self) -> State | None:
        """None where the host has not answered yet."""
        return self._entry.state if self._entry else None

    @property
    def latest(self) -> Probe | None:
        """The latest answer of the host, whatever has changed since; None where it never answered."""
        return self._entry.probe if self._entry else None

    @property
    def settings(self) -> HostSettings | None:
        """The settings that `latest` was read for."""
        return self._entry.settings if self._entry else None

    @property
    def predicted(self) -> Probe:
        """The host after the changes that the plan has so far. Raises LookupError where it never answered."""
        if self._entry is None:
            raise LookupError("no probe to start from")
        return self._entry.predicted

    def predict(self, probe: Probe) -> None:
        """Later operations of the plan start from this probe. Raises LookupError where the host never answered."""
        if self._entry is None:
            raise LookupError("no probe to start from")
        self._entry = replace(self._entry, predicted=probe, state=State.PREDICTED)

    def invalidate(self) -> None:
        """Read the host again before the next decision, because fleethands changed it."""
        self._mark(State.STALE)

    def outdate(self) -> None:
        """The same after a change by someone else: what the host could download is asked again, too."""
        self._mark(State.OUTDATED)

    def _mark(self, state: State) -> None:
        if self._entry and self._entry.state is not State.OUTDATED:
            self._entry = replace(self._entry, state=state)

    def refuse(self) -> None:
        """An operation of the plan has refused the host: skip its later operations."""
        self._is_refused = self._entry is not None or self._failure is not None

    @property
    def is_refused(self) -> bool:
        """Whether the plan skips this host's operations."""
        return self._is_refused


def _same_request(one: HostSettings, other: HostSettings) -> bool:
    return ProbeRequest(one, "").script == ProbeRequest(other, "").script
