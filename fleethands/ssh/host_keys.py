"""Fetches the host keys of a fleet, and compares them with known_hosts."""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko.client
from gevent.pool import Pool  # type: ignore[import-untyped]
from paramiko import PKey, SSHException
from pyinfra.connectors.ssh import SSHConnector

from fleethands.command_line import CommandLine
from fleethands.facts import ssh_command
from fleethands.ssh.client import JUMP_BANNER_TIMEOUT, open_route, retry_while_busy, route_error
from fleethands.ssh.host_config import known_hosts, own_file, read_ssh_config, ssh_query_for
from fleethands.ssh.host_key_check import preferred_key_types
from fleethands.ssh.jump_hosts import JumpHostError
from fleethands.ssh.known_hosts import KnownHosts, KnownHostsLine, Verdict, entry_name
from fleethands.ssh.unreachable import why_unreachable
from fleethands.text.sanitize import sanitize

CONNECT_TIMEOUT = 10  # seconds to connect, and again until the host has shown its key
AT_ONCE = 32
LONGEST_REASON = 300  # characters; a server may have written it


@dataclass(frozen=True)
class HostKeyLocation:
    """
    The address of a host, and the files for its key.

    + files: known_hosts files; a new key is added to `known_hosts`
    + alias: the host's name in these files; empty for its address
    + open_route, route_error: like the functions of client.py, for this host
    """

    address: str
    port: int
    files: tuple[Path, ...]
    known_hosts: Path | None = None
    alias: str = ""
    open_route: Callable[[], Any] = lambda: None
    route_error: Callable[[Any], Exception | None] = lambda _: None

    @property
    def name(self) -> str:
        """What the host is called in these files."""
        return self.alias or entry_name(self.address, self.port)


@dataclass(frozen=True)
class HostKeyCheck:
    """
    The result of asking one host for its key.

    + status: known, new, changed, revoked, unreachable, failed, or skipped for a host without SSH
    + verdict: the result of the comparison with known_hosts
    """

    host: str
    status: str
    place: HostKeyLocation | None = None
    key: PKey | None = None
    verdict: Verdict | None = None
    reason: str = ""
    hints: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Like `ssh-keygen -lf`, without the comment: bits, SHA256, type."""
        return fingerprint(self.key) if self.key else ""


def fingerprint(key: PKey) -> str:
    """Bits, SHA256 and type of a key."""
    kind = key.get_name().removeprefix("ssh-").partition("-")[0].upper()
    return f"{key.get_bits()} {key.fingerprint} ({kind})"


def line_fingerprint(line: KnownHostsLine) -> str:
    """Bits, SHA256 and type of a key in a file."""
    return fingerprint(PKey.from_type_string(line.kind, line.key))


def check_host_keys(hosts: Iterable[Any]) -> list[HostKeyCheck]:
    """
    Ask many hosts at a time for their keys. The results are sorted by name.

    + hosts: pyinfra's hosts
    """
    return sorted(Pool(AT_ONCE).map(_check_host, hosts), key=lambda shown: shown.host)


def _check_host(host: Any) -> HostKeyCheck:
    if not isinstance(host.connector, SSHConnector):
        return HostKeyCheck(host.name, "skipped", reason="not reached by SSH")
    try:
        place = _locate(host)
    except (SSHException, OSError, ValueError) as error:  # its configuration
        return _failed(host, "failed", error)
    try:
        files = KnownHosts.load(place.files)
    except OSError as error:
        reason = f"cannot read {error.filename}: {error.strerror}"
        look = f"look at it: `ls -ld {shlex.quote(os.path.dirname(error.filename))}`"
        return HostKeyCheck(host.name, "failed", place, reason=reason, hints=(look,))
    return _compare_key(host, place, files)


def _failed(host: Any, status: str, error: Exception, place: HostKeyLocation | None = None) -> HostKeyCheck:
    reason, hints = why_unreachable(CommandLine(), host, error)
    return HostKeyCheck(host.name, status, place, reason=reason, hints=tuple(hints))


def _compare_key(host: Any, place: HostKeyLocation, files: KnownHosts) -> HostKeyCheck:
    try:
        key = retry_while_busy(lambda: _fetch_key(place, files))
    except JumpHostError as error:
        return _failed(host, "unreachable", error, place)
    except (OSError, SSHException, EOFError) as error:
        said = " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())
        reason = sanitize(f"{place.name}: {said}")[:LONGEST_REASON]
        hint = f"try: `{ssh_command(host, '-v')}`"
        return HostKeyCheck(host.name, "unreachable", place, reason=reason, hints=(hint,))
    verdict = files.judge(place.name, key)
    if verdict.status == "new" and place.known_hosts is None:
        hint = "set `ssh_known_hosts_file` in the inventory"
        return HostKeyCheck(host.name, "failed", place, key, reason="`UserKnownHostsFile` names no file", hints=(hint,))
    return HostKeyCheck(host.name, verdict.status, place, key, verdict)


def _locate(host: Any) -> HostKeyLocation:
    """As a run finds a host."""
    question, given = ssh_query_for(host), host.data.get("ssh_known_hosts_file")
    answer = read_ssh_config(question)
    return HostKeyLocation(
        answer.hostname,
        answer.port,
        known_hosts(answer, given),
        own_file(answer, given),
        answer.alias,
        lambda: open_route(question, answer),
        lambda leads: route_error(leads, question, answer),
    )


def _fetch_key(place: HostKeyLocation, files: KnownHosts) -> PKey:
    """The key that a host proves to have, fetched like in a run."""
    leads = place.open_route()
    limit = CONNECT_TIMEOUT if leads is None else JUMP_BANNER_TIMEOUT
    transport = paramiko.client.Transport(  # type: ignore[attr-defined]  # as a run's connections have it
        leads or socket.create_connection((place.address, place.port), CONNECT_TIMEOUT)
    )
    transport.banner_timeout = limit
    try:
        options = transport.get_security_options()
        options.key_types = preferred_key_types(files, place.name, options.key_types)
        transport.start_client(timeout=limit)
        return transport.get_remote_server_key()
    except (SSHException, OSError, EOFError) as error:
        raise place.route_error(leads) or error from error
    finally:
        transport.close()
