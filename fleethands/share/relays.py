"""Starts the relays of a run on the hosts of its sites, and stops them at its end."""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]

from fleethands.engine.side_script import connected, run_side_script
from fleethands.operations.share.relay_scripts import StartRelay, stop_relay
from fleethands.script import Script
from fleethands.settings.sites import find_sites
from fleethands.share.chain import PORT, Member, find_members, host_rows, neighbor_rows
from fleethands.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine

TIMEOUT = 60  # seconds for the script of one host
FRESH = 120.0  # seconds after which relays are started again before a batch: one without requests ends after IDLE
LISTENS = "relay: listens"
NO_ANSWER = "the host does not answer"


class Relays:
    """
    The relays of one run. Hosts with nothing to do take part, because they may have what others want.

    + engine: connected
    + wanting: names of the hosts that are going to download something; reachable: of all that can take part

    `notes`: host → why it shares nothing.
    """

    def __init__(self, engine: Engine, wanting: Collection[str], reachable: Collection[str]) -> None:
        self._engine = engine
        self._settings = {name: each for name, each in engine.known_settings.by_host.items() if name in reachable}
        sites = find_sites(self._settings)
        self._sites = {site: hosts for site, hosts in sites.items() if not set(hosts).isdisjoint(wanting)}
        self._token = secrets.token_hex(24)
        self._started: float | None = None
        self._scripts: dict[str, Script] = {}
        self._running: set[str] = set()
        self.notes: dict[str, str] = {}

    @property
    def sites(self) -> dict[str, list[str]]:
        """Site → its hosts, for each site in which a host is going to download something."""
        return self._sites

    def start(self, changed: Collection[str] = ()) -> None:
        """
        Start all relays at once, or those that need it. A host without a relay is only noted.

        + changed: hosts that may have a model store now, which their relay does not see yet
        """
        if not self._sites:
            return
        if self._started is None:
            self._scripts = dict(self._make_scripts())
        is_fresh = self._started is not None and time.monotonic() - self._started < FRESH
        names = [name for name in self._scripts if name in changed] if is_fresh else list(self._scripts)
        self._started = self._started if is_fresh else time.monotonic()
        gevent.joinall([gevent.spawn(self._start_one, name) for name in names], raise_error=True)

    def stop(self) -> None:
        """Stop the relays that this run started, also those that did not answer in time."""
        names, self._running = self._running, set()
        gevent.joinall([gevent.spawn(self._send, name, stop_relay(self._token)) for name in names])

    def _make_scripts(self) -> Iterator[tuple[str, Script]]:
        for hosts in self._sites.values():
            asked = {name: gevent.spawn(self._address, name) for name in hosts}
            gevent.joinall(list(asked.values()), raise_error=True)
            members, notes = find_members({name: each.value for name, each in asked.items()})
            self.notes |= notes
            for index, member in enumerate(members):
                yield member.name, self._start_script(members, index)

    def _start_script(self, members: Sequence[Member], index: int) -> Script:
        settings = self._settings[members[index].name]
        return StartRelay(
            token=self._token,
            address=members[index].address,
            port=PORT,
            neighbors=neighbor_rows(members, index),
            hosts=host_rows(members, index),
            models_dir=settings.models_dir(),
            rate=settings.share_limit or 0,
        ).script

    def _address(self, name: str) -> str:
        """The IP address of a host in its site; empty if it is unknown."""
        if declared := self._settings[name].share_address:
            return declared
        with connected(self._engine, name) as host:
            return _peer_address(host)

    def _start_one(self, name: str) -> None:
        said = self._send(name, self._scripts[name])
        if said:
            self._running.add(name)  # a relay that did not listen in time may do so later
        if LISTENS in said:
            self.notes.pop(name, None)
            return
        if not said:
            del self._scripts[name]  # the other hosts do not wait for it again
        errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
        self.notes[name] = sanitize_line((errors or said or [NO_ANSWER])[-1], 300)

    def _send(self, name: str, script: Script) -> list[str]:
        """The output of a script; nothing from a host that cannot be reached."""
        return run_side_script(self._engine, name, script, TIMEOUT) or []


def _peer_address(host: Any) -> str:
    """The address to which an SSH connection leads; empty for a jump host, and for this machine itself."""
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    try:
        address = ipaddress.ip_address(transport.sock.getpeername()[0]) if transport else None
    except (AttributeError, OSError, TypeError, ValueError, IndexError):
        return ""
    return "" if address is None or address.is_loopback or address.is_link_local else str(address)
