"""Checks that only the controller can make: closed ports do not answer, and OpenHands answers through SSH."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]
import paramiko
from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import PyinfraError

from fleethands import facts
from fleethands.operations.core.decision import APPLY_HINT
from fleethands.operations.core.proof_record import Link
from fleethands.paths import PROOF
from fleethands.report.timeline import LOOK
from fleethands.rollout import build_report
from fleethands.script import SHELL, Script
from fleethands.settings import HostSettings
from fleethands.settings.openhands import generation_of, inner_ports
from fleethands.ssh.connection import is_of_network

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine
    from fleethands.report.model import Report
    from fleethands.rollout.port_checks import PortChecks

# a firewall that drops packets never answers; a lost request for a connection is sent again after a second (RFC 6298)
RETRANSMISSION = 1.0  # seconds
ROUND_TRIPS, LEAST = 3, 0.5  # how many of them an answer may take after that, and seconds that it may take at least
UNKNOWN = 0.7  # seconds of a round trip that was not measured
MOST = 10.0  # seconds for a port to answer, whatever the distance
# a closed paramiko connection has no socket: AttributeError
CONNECTION_ERRORS = (OSError, EOFError, AttributeError, paramiko.SSHException, PyinfraError)
NOT_CHECKED = "not checked: routes to its containers, ports of sandboxes"
OPENHANDS_TIMEOUT = 20  # seconds for OpenHands, which has just answered the host's own proof


def run_external_checks(engine: Engine, report: Report, names: Iterable[str], begun: PortChecks | None = None) -> None:
    """
    Add the checks of the hosts that this run proved to its report.

    + begun: checks of ports that began with the proofs

    A host that fails a check loses its proof.
    """
    proven = [name for name in names if engine.has_proven(name)]
    looks = {name: gevent.spawn(_check_proven_host, engine, name, begun) for name in proven}
    gevent.joinall(list(looks.values()), raise_error=True)
    for name, each in looks.items():
        host, found = report.hosts[name], each.value
        host.proof += found
        if broken := next((link for link in found if not link.ok), None):
            with suppress(*CONNECTION_ERRORS):  # the proof stays, and the next run checks the host again
                engine.host(name).run_shell_command(StringCommand(SHELL), _stdin=Script(f"rm -f {PROOF}").text)
            host.status, host.reason = "failed", f"{broken.name}: {broken.detail}"
            host.hints = [engine.command_line.complete_hint(broken.hint)]
            host.remote_commands = engine.monitor.commands.get(name, 0)
    build_report.record_times(engine, report)


def _check_proven_host(engine: Engine, name: str, begun: PortChecks | None) -> list[Link]:
    host = engine.host(name)
    settings = facts.probed_settings(host)  # a rollback's settings come from a release record
    with engine.timeline.step(name, LOOK):
        try:
            ports = begun.links(name) if begun else None
            return check_host(host, settings, ports) if settings else []
        except CONNECTION_ERRORS as error:  # the rollout continues with the other hosts
            return [Link("open-through-ssh", False, 0, f"the connection was lost after the proof: {error}", APPLY_HINT)]


def check_host(host: Any, settings: HostSettings, ports: list[Link] | None = None) -> list[Link]:
    """
    The links of a proof that only another machine can check; none for a host that is not reached by SSH.

    + host: pyinfra's, connected
    + ports: what `check_ports` has found already; None: nothing
    """
    transport = _transport(host)
    if transport is None:
        return []
    closed = check_ports(host, settings) if ports is None else ports
    return [*closed, *_check_gateway(host, transport.sock, settings), *_check_tunnel(transport, settings)]


def _check_gateway(host: Any, connection: Any, settings: HostSettings) -> list[Link]:
    if settings.gateway is None or not is_of_network(connection):
        return []
    from fleethands.rollout.gateway_check import check_gateway  # noqa: PLC0415  only a gateway has a certificate
    from fleethands.rollout.page_check import check_page  # noqa: PLC0415

    addresses = sorted(_addresses(host, connection))
    return [*check_gateway(settings, addresses), *check_page(settings, addresses)]


def check_ports(host: Any, settings: HostSettings) -> list[Link]:
    """
    The link of the closed ports; none where it cannot be checked.

    + host: pyinfra's, connected
    """
    transport = _transport(host)
    return [] if transport is None else list(_check_closed_ports(host, transport, settings))


def _transport(host: Any) -> Any:
    client = getattr(host.connector, "client", None)
    return client.get_transport() if client else None


def patience(round_trip: float | None) -> float:
    """
    Seconds without an answer after which a port counts as closed.

    + round_trip: seconds to the host, as measured on its SSH connection; None: unknown
    """
    return min(MOST, RETRANSMISSION + max(LEAST, ROUND_TRIPS * (UNKNOWN if round_trip is None else round_trip)))


def _check_closed_ports(host: Any, transport: paramiko.Transport, settings: HostSettings) -> Iterator[Link]:
    """Skipped where the settings allow networks: this machine may be in one of them."""
    if not settings.firewall or settings.allow_from or not is_of_network(transport.sock):
        return
    begun = time.monotonic()
    openhands = [settings.openhands_port, *inner_ports(settings)] if settings.openhands_flavor != "off" else []
    ports = [*([settings.ollama_host.port] if settings.manages_ollama else []), *openhands]
    if not ports:
        return
    addresses = _addresses(host, transport.sock)
    if not addresses:
        yield Link("closed-from-outside", True, 0, "skipped: the host is reached through a forwarded local port")
        return
    seconds = patience(getattr(getattr(transport, "sessions", None), "round_trip", None))
    tries = {
        (address, port): gevent.spawn(_is_open, address, port, seconds)
        for address in sorted(addresses)
        for port in ports
    }
    gevent.joinall(list(tries.values()))
    took = time.monotonic() - begun
    words = ", ".join(str(port) for port in ports)
    open_ones = [f"{address} port {port}" for (address, port), each in tries.items() if each.value]
    if open_ones:
        detail = f"from this machine, {', '.join(open_ones)} answers, but should be closed"
        yield Link("closed-from-outside", False, took, detail, APPLY_HINT)
    else:
        detail = f"{words} of {', '.join(sorted(addresses))} do not answer this machine; {NOT_CHECKED}"
        yield Link("closed-from-outside", True, took, detail)


def _addresses(host: Any, connection: Any) -> set[str]:
    """Those of the host, as this machine knows them; none if it reaches the host through a port of its own."""
    known = {connection.getpeername()[0], *_resolve(host.data.get("ssh_hostname") or host.name)}
    return {each for each in known if not is_own_address(each, connection.getsockname()[0])}


def is_own_address(address: str, ours: str) -> bool:
    """Whether the address is this machine's own, e.g., of a forwarded port: what answers there is not the host."""
    return address == ours or ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _resolve(name: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    except OSError:
        return set()  # a name that only ssh_config knows


def _is_open(address: str, port: int, seconds: float) -> bool:
    try:
        with socket.create_connection((address, port), seconds):
            return True
    except OSError:
        return False


def _check_tunnel(transport: paramiko.Transport, settings: HostSettings) -> Iterator[Link]:
    """OpenHands, reached as `fleethands tunnel` reaches it."""
    if settings.openhands_flavor == "off":
        return
    begun = time.monotonic()
    address, page = settings.openhands_address, generation_of(settings).ready
    ask = partial(_request_page, transport, (address.local_ip, address.port), page)
    ok, detail = ask()
    while not ok and time.monotonic() - begun < OPENHANDS_TIMEOUT:  # it may still be busy with the proof
        gevent.sleep(1)
        ok, detail = ask()
    hint = "" if ok else f"on the host: curl -i {settings.openhands_url}{page}"
    yield Link("open-through-ssh", ok, time.monotonic() - begun, detail, hint)


def _request_page(transport: paramiko.Transport, address: tuple[str, int], page: str) -> tuple[bool, str]:
    try:
        channel = transport.open_channel("direct-tcpip", address, ("127.0.0.1", 0), timeout=OPENHANDS_TIMEOUT)
    except paramiko.ChannelException as error:
        if error.code == paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED:
            return True, "skipped: the host's sshd forbids it (AllowTcpForwarding)"
        return False, f"nothing answers through SSH: {error.text}"
    except (paramiko.SSHException, EOFError) as error:
        return False, f"nothing answers through SSH: {error}"
    with channel, gevent.Timeout(2 * OPENHANDS_TIMEOUT, TimeoutError("no complete answer in time")):
        channel.settimeout(OPENHANDS_TIMEOUT)  # of each read; the gevent timeout ends an answer that never ends
        connection = HTTPConnection("localhost")
        connection.sock = channel
        try:
            connection.request("GET", page)
            status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            return False, f"OpenHands does not answer through SSH: {error or type(error).__name__}"
    return status == 200, f"{page} answers {status}"
