"""The host keys that a fleet shows, beside those that it is known by."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko.client
from gevent.pool import Pool  # type: ignore[import-untyped]
from paramiko import PKey, SSHException
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.sshuserclient import SSHClient

from fleethands.rollout.keycheck import preferred
from fleethands.rollout.known_hosts import Files, Line, Verdict, entry_name
from fleethands.rollout.printable import clean

CONNECT_TIMEOUT = 10  # seconds to reach a host, and as many again until it has shown its key
AT_ONCE = 32
LONGEST_REASON = 300  # a server may have worded it


@dataclass(frozen=True)
class Place:
    """
    Where a host is reached.

    + files: say what its key is; a new one is added to the first
    + sock: the way there, behind a jump host
    """

    address: str
    port: int
    files: tuple[Path, ...]
    sock: Any = None

    @property
    def known_hosts(self) -> Path:
        """The file that new keys are added to."""
        return self.files[0]

    @property
    def name(self) -> str:
        """What the host is called in that file."""
        return entry_name(self.address, self.port)


@dataclass(frozen=True)
class Shown:
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
        files = Files.read(place.files)
    except OSError as error:
        return Shown(host.name, "failed", place, reason=f"cannot read {error.filename}: {error.strerror}")
    return _compared(host.name, place, files)


def _compared(host: str, place: Place, files: Files) -> Shown:
    try:
        key = _offered(place, preferred(files, place.name))
    except (OSError, SSHException, EOFError) as error:
        said = " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())
        reason = clean(f"{place.name}: {said}")[:LONGEST_REASON]
        return Shown(host, "unreachable", place, reason=reason)
    verdict = files.judge(place.name, key)
    return Shown(host, verdict.status, place, key, verdict)


def _place(host: Any) -> Place:
    """As pyinfra's own client finds a host: its data, then ssh_config (pyinfra 3.10, connectors/sshuserclient)."""
    data = host.connector.data
    given: dict[str, Any] = {"port": int(data["ssh_port"])} if data["ssh_port"] else {}
    address, config, _, _, files, *_ = SSHClient().parse_config(
        data["ssh_hostname"] or host.name, {"timeout": CONNECT_TIMEOUT, **given}, data["ssh_config_file"], "yes"
    )
    paths = (data["ssh_known_hosts_file"],) if data["ssh_known_hosts_file"] else files
    port = given.get("port", config["port"])
    return Place(address, port, tuple(Path(path).expanduser() for path in paths), config.get("sock"))


def _offered(place: Place, first: str | None) -> PKey:
    """The key that a host proves to have. The type that it is known by comes first, as in a run."""
    sock = place.sock or socket.create_connection((place.address, place.port), CONNECT_TIMEOUT)
    transport = paramiko.client.Transport(sock)  # type: ignore[attr-defined]  # as a run's connections have it
    transport.banner_timeout = CONNECT_TIMEOUT
    try:
        options = transport.get_security_options()
        options.key_types = [*([first] if first else []), *(name for name in options.key_types if name != first)]
        transport.start_client(timeout=CONNECT_TIMEOUT)
        return transport.get_remote_server_key()
    finally:
        transport.close()
