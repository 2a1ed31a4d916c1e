"""Hosts behind gateways: a rollout takes them out before it changes them, and puts them back when they are proven."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]

from fleethands.engine.side_script import run_side_script
from fleethands.operations.gateway.drain import (
    Drained,
    drain_backends,
    parse_drained,
    parse_returned,
    return_backends,
)
from fleethands.report.model import Report
from fleethands.text.format import format_duration

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine

BACKENDS = "gateway_backends"
SHORT = 60  # seconds for a script that waits for nothing
WITHOUT = "`--drain-timeout 0` leaves the gateways as they are"


def find_gateways(engine: Engine) -> dict[str, tuple[str, ...]]:
    """Host with a gateway → the hosts behind it, by the whole inventory: a gateway need not be part of the run."""
    found = ((host.name, host.data.get(BACKENDS)) for host in engine.inventory)
    return {name: tuple(map(str, declared)) for name, declared in found if isinstance(declared, Mapping) and declared}


class Drains:
    """
    The gateways of a run.

    + limit: seconds to wait for the requests under way on a host; 0: no host is taken out
    + announce: is given one line for each step

    `notes`: host → what its gateways did.
    """

    def __init__(self, engine: Engine, limit: float, announce: Callable[[str], None]) -> None:
        self._engine, self._limit, self._announce = engine, limit, announce
        self.gateways = find_gateways(engine) if limit else {}
        self.notes: dict[str, list[str]] = defaultdict(list)
        self._out: dict[str, set[str]] = defaultdict(set)  # gateway → hosts
        self._waits: list[Drained] = []
        self._waiting: list[Any] = []

    def take_out(self, names: Collection[str]) -> str:
        """
        Let no gateway send requests to these hosts, and wait for those under way.

        Returns why it cannot be done; empty if it is.
        """
        wanted = dict(self._wanted(names))
        self._waiting = [gevent.spawn(self._drain, name, hosts) for name, hosts in wanted.items()]
        gevent.joinall(self._waiting, raise_error=True)
        said, self._waiting = [each.value for each in self._waiting], []
        return next((each for each in said if each and isinstance(each, str)), "")

    def stop(self) -> None:
        """Wait no longer."""
        gevent.killall(self._waiting, block=False)

    def put_back(self, names: Collection[str]) -> None:
        """Let the gateways send requests to these hosts again."""
        wanted = dict(self._wanted(names))
        gevent.joinall([gevent.spawn(self._return, name, hosts) for name, hosts in wanted.items()], raise_error=True)

    def add_notes(self, report: Report) -> None:
        """Add to each host what its gateways did, and announce the longest wait."""
        for gateway, hosts in self._out.items():
            for name in sorted(hosts):
                until = f"until an apply proves it, or for {format_duration(self._expires)}"
                self.notes[name].append(f"the gateway of {gateway} may send it no requests {until}")
        for name, notes in self.notes.items():
            report.hosts[name].notes.extend(notes)
        if longest := max(self._waits, key=lambda each: each.seconds, default=None):
            what = f"the longest wait for answers under way was {format_duration(longest.seconds)}, for {longest.name}"
            self._announce(f"gateways: {what}")

    @property
    def _expires(self) -> float:
        return self._limit + self._engine.monitor.limits.host

    def _wanted(self, names: Collection[str]) -> Iterator[tuple[str, list[str]]]:
        for gateway, behind in self.gateways.items():
            if hosts := [name for name in behind if name in names]:
                yield gateway, hosts

    def _drain(self, gateway: str, hosts: Sequence[str]) -> str:
        script = drain_backends(hosts, int(self._limit), int(self._expires))
        self._out[gateway] |= set(hosts)  # until it is known to be otherwise
        said = run_side_script(self._engine, gateway, script, self._limit + SHORT)
        if said is None:
            self._out[gateway] -= set(hosts)
            why = "the host cannot be reached, so nothing is taken out there"
            self._announce(f"gateway of {gateway}: {why}")
            for name in hosts:
                self.notes[name].append(f"gateway of {gateway}: {why}")
            return ""
        found = {each.name: each for each in parse_drained(said, hosts)}
        for name in hosts:
            if name not in found:
                return f"{name}: the gateway of {gateway} does not take it out; {WITHOUT}"
            if not found[name].is_out:
                self._out[gateway].discard(name)
            if found[name].result == "last" and len(self.gateways[gateway]) > 1:
                return f"{name} is the last host that answers behind the gateway of {gateway}; {WITHOUT}"
            self._note(gateway, found[name])
        return ""

    def _note(self, gateway: str, drained: Drained) -> None:
        name = drained.name
        if drained.result == "last":
            self.notes[name].append(f"the gateway of {gateway} has no other host: its requests fail meanwhile")
        if not drained.is_out:
            return
        self._waits.append(drained)
        left = f"{drained.requests} request{'s' * (drained.requests != 1)} under way"
        waited = f"it had {left}, and waited {format_duration(drained.seconds)}"
        cut = "; requests that take longer are cut" if drained.result == "busy" else ""
        self._announce(f"gateway of {gateway}: {name} is taken out: {waited}{cut}")
        self.notes[name].append(f"taken out of the gateway of {gateway}: {waited}{cut}")

    def _return(self, gateway: str, hosts: Sequence[str]) -> None:
        said = run_side_script(self._engine, gateway, return_backends(hosts), SHORT)
        self._out[gateway] -= parse_returned(said or [], hosts)
