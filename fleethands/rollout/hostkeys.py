"""The host keys that a fleet shows, beside those that it is known by."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gevent.pool import Pool  # type: ignore[import-untyped]
from paramiko import PKey, SSHException, Transport
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.sshuserclient import SSHClient

from fleethands.rollout.known_hosts import Known, entry_name, known

CONNECT_TIMEOUT = 10  # seconds to reach a host, and as many again until it has shown its key
AT_ONCE = 32
RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")


@dataclass(frozen=True)
class Place:
    """Where a host is reached, and which file says what its key is. `sock`: the way there, behind a jump host."""

    address: str
    port: int
    known_hosts: Path
    sock: Any = None

    @property
    def name(self) -> str:
        """What the host is called in that file."""
        return entry_name(self.address, self.port)


@dataclass(frozen=True)
class Shown:
    """
    What came of asking one host for its key.

    + status: known, new, changed, unreachable, failed, or skipped where there is no SSH
    """

    host: str
    status: str
    place: Place | None = None
    key: PKey | None = None
    was: list[Known] = field(default_factory=list)
    reason: str = ""

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -lf` has it, without the comment: bits, SHA256, type."""
        return fingerprint(self.key) if self.key else ""


def fingerprint(key: PKey) -> str:
    """Bits, SHA256 and type of a key."""
    kind = key.get_name().removeprefix("ssh-").partition("-")[0].upper()
    return f"{key.get_bits()} {key.fingerprint} ({kind})"


def asked(hosts: Iterable[Any]) -> list[Shown]:
    """
    Ask hosts for their keys, many at a time; the answers sorted by name.

    + hosts: pyinfra's, of an inventory that is initialised
    """
    return sorted(Pool(AT_ONCE).map(_asked, hosts), key=lambda shown: shown.host)


def _asked(host: Any) -> Shown:
    if not isinstance(host.connector, SSHConnector):
        return Shown(host.name, "skipped", reason="it is not reached by SSH")
    try:
        place = _place(host)
    except (OSError, SSHException, EOFError, ValueError) as error:  # its settings, or its jump host
        return Shown(host.name, "failed", reason=f"there is no way to it: {error}")
    try:
        was = known(place.known_hosts, place.name)
    except OSError as error:
        return Shown(host.name, "failed", place, reason=f"cannot read {place.known_hosts}: {error.strerror}")
    return _compared(host.name, place, was)


def _compared(host: str, place: Place, was: list[Known]) -> Shown:
    try:
        key = _offered(place, [each.key.get_name() for each in was])
    except (OSError, SSHException, EOFError) as error:
        reason = f"{place.name}: {getattr(error, 'strerror', None) or error or type(error).__name__}"
        return Shown(host, "unreachable", place, was=was, reason=reason)
    if any(each.key == key for each in was):
        return Shown(host, "known", place, key, was)
    return Shown(host, "changed" if was else "new", place, key, was)


def _place(host: Any) -> Place:
    """As pyinfra's own client finds a host: its data, then ssh_config (pyinfra 3.10, connectors/sshuserclient)."""
    data = host.connector.data
    given: dict[str, Any] = {"port": int(data["ssh_port"])} if data["ssh_port"] else {}
    address, config, _, _, files, *_ = SSHClient().parse_config(
        data["ssh_hostname"] or host.name, {"timeout": CONNECT_TIMEOUT, **given}, data["ssh_config_file"], "yes"
    )
    path = data["ssh_known_hosts_file"] or files[0]
    port = given.get("port", config["port"])
    return Place(address, port, Path(path).expanduser(), config.get("sock"))


def _offered(place: Place, preferred: list[str]) -> PKey:
    """The key that a host proves to have. Types that it is known by come first, as ssh asks."""
    sock = place.sock or socket.create_connection((place.address, place.port), CONNECT_TIMEOUT)
    transport = Transport(sock)
    transport.banner_timeout = CONNECT_TIMEOUT
    try:
        options = transport.get_security_options()
        first = [
            name for kind in preferred for name in (RSA if kind == "ssh-rsa" else (kind,)) if name in options.key_types
        ]
        options.key_types = [*dict.fromkeys(first), *(name for name in options.key_types if name not in first)]
        transport.start_client(timeout=CONNECT_TIMEOUT)
        return transport.get_remote_server_key()
    finally:
        transport.close()
