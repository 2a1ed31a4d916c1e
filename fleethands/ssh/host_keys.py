"""The host keys that a fleet shows, beside those that it is known by."""

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

from fleethands.facts import ssh_command
from fleethands.ssh.client import (
    BEHIND_OTHERS,
    ask,
    known_hosts,
    lost,
    own_file,
    patiently,
    question_of,
    way,
)
from fleethands.ssh.host_key_check import order
from fleethands.ssh.jump_hosts import WayLost
from fleethands.ssh.known_hosts import Files, Line, Verdict, entry_name
from fleethands.ssh.unreachable import why_unreachable
from fleethands.text.sanitize import clean

CONNECT_TIMEOUT = 10  # seconds to reach a host, and as many again until it has shown its key
AT_ONCE = 32
LONGEST_REASON = 300  # a server may have worded it


@dataclass(frozen=True)
class Place:
    """
    Where a host is reached.

    + files: say what its key is; a new one is added to `known_hosts`
    + alias: what it is called in them, empty where that is its address
    + way: what leads there, as `client.way` has it; raises what that raises
    + lost: why that did not, where it says so
    """

    address: str
    port: int
    files: tuple[Path, ...]
    known_hosts: Path | None = None
    alias: str = ""
    way: Callable[[], Any] = lambda: None
    lost: Callable[[Any], Exception | None] = lambda _: None

    @property
    def name(self) -> str:
        """What the host is called in these files."""
        return self.alias or entry_name(self.address, self.port)


@dataclass(frozen=True)
class ScannedKey:
    """
    What came of asking one host for its key.

    + status: known, new, changed, revoked, unreachable, failed, or skipped where there is no SSH
    + verdict: what files say of the key
    """

    host: str
    status: str
    place: Place | None = None
    key: PKey | None = None
    verdict: Verdict | None = None
    reason: str = ""
    hints: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -lf` has it, without the comment: bits, SHA256, type."""
        return fingerprint(self.key) if self.key else ""


def fingerprint(key: PKey) -> str:
    """Bits, SHA256 and type of a key."""
    kind = key.get_name().removeprefix("ssh-").partition("-")[0].upper()
    return f"{key.get_bits()} {key.fingerprint} ({kind})"


def line_fingerprint(line: Line) -> str:
    """Bits, SHA256 and type of a key in a file."""
    return fingerprint(PKey.from_type_string(line.kind, line.key))


def asked(hosts: Iterable[Any]) -> list[ScannedKey]:
    """
    Ask hosts for their keys, many at a time; the answers sorted by name.

    + hosts: pyinfra's, of an inventory that is initialised
    """
    return sorted(Pool(AT_ONCE).map(_asked, hosts), key=lambda shown: shown.host)


def _asked(host: Any) -> ScannedKey:
    if not isinstance(host.connector, SSHConnector):
        return ScannedKey(host.name, "skipped", reason="not reached by SSH")
    try:
        place = _place(host)
    except (SSHException, OSError, ValueError) as error:  # its configuration
        return _failed(host, "failed", error)
    try:
        files = Files.read(place.files)
    except OSError as error:
        reason = f"cannot read {error.filename}: {error.strerror}"
        look = f"look at it: `ls -ld {shlex.quote(os.path.dirname(error.filename))}`"
        return ScannedKey(host.name, "failed", place, reason=reason, hints=(look,))
    return _compared(host, place, files)


def _failed(host: Any, status: str, error: Exception, place: Place | None = None) -> ScannedKey:
    reason, hints = why_unreachable("", host, error)
    return ScannedKey(host.name, status, place, reason=reason, hints=tuple(hints))


def _compared(host: Any, place: Place, files: Files) -> ScannedKey:
    try:
        key = patiently(lambda: _offered(place, files))
    except WayLost as error:
        return _failed(host, "unreachable", error, place)
    except (OSError, SSHException, EOFError) as error:
        said = " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())
        reason = clean(f"{place.name}: {said}")[:LONGEST_REASON]
        hint = f"try: `{ssh_command(host, '-v')}`"
        return ScannedKey(host.name, "unreachable", place, reason=reason, hints=(hint,))
    verdict = files.judge(place.name, key)
    if verdict.status == "new" and place.known_hosts is None:
        hint = "set `ssh_known_hosts_file` in the inventory"
        return ScannedKey(host.name, "failed", place, key, reason="`UserKnownHostsFile` names no file", hints=(hint,))
    return ScannedKey(host.name, verdict.status, place, key, verdict)


def _place(host: Any) -> Place:
    """As a run finds a host."""
    question, given = question_of(host), host.data.get("ssh_known_hosts_file")
    answer = ask(question)
    return Place(
        answer.hostname,
        answer.port,
        known_hosts(answer, given),
        own_file(answer, given),
        answer.alias,
        lambda: way(question, answer),
        lambda leads: lost(leads, question, answer),
    )


def _offered(place: Place, files: Files) -> PKey:
    """The key that a host proves to have. It is asked for as in a run."""
    leads = place.way()
    limit = CONNECT_TIMEOUT if leads is None else BEHIND_OTHERS
    transport = paramiko.client.Transport(  # type: ignore[attr-defined]  # as a run's connections have it
        leads or socket.create_connection((place.address, place.port), CONNECT_TIMEOUT)
    )
    transport.banner_timeout = limit
    try:
        options = transport.get_security_options()
        options.key_types = order(files, place.name, options.key_types)
        transport.start_client(timeout=limit)
        return transport.get_remote_server_key()
    except (SSHException, OSError, EOFError) as error:
        raise place.lost(leads) or error from error
    finally:
        transport.close()
