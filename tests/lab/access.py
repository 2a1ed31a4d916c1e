"""Who may log in and which host is which: keys that the controller makes, so that nothing is trusted on sight."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.lab.shell import run

COMMON = """\
Host lab-*
    User root
    IdentityFile {identity}
    IdentitiesOnly yes
    UserKnownHostsFile {known_hosts}
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    CheckHostIP no
    BatchMode yes
    ConnectTimeout 5
    ServerAliveInterval 5
    ServerAliveCountMax 3
    LogLevel ERROR
"""


class Access:
    """The lab's key pair, its hosts' keys, and the ssh client's files made of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.identity = directory / "id_ed25519"
        self.config = directory / "ssh_config"
        self.known_hosts = directory / "known_hosts"

    def authorized_key(self) -> str:
        """The line that lets the lab's user in; the pair is made when missing."""
        return self._pair(self.identity, "fleethands lab").with_suffix(".pub").read_text()

    def host_key(self, name: str) -> Path:
        """The private key by which the host `name` is known, made before its first boot."""
        return self._pair(self.directory / "keys" / name, name)

    def write(self, hosts: Mapping[str, Sequence[str]]) -> None:
        """Make these hosts (name -> addresses) known to ssh under their names and addresses."""
        self.authorized_key()  # now, before hosts that boot side by side ask for it
        parts = [COMMON.format(identity=_word(self.identity), known_hosts=_word(self.known_hosts))]
        known = []
        for name, addresses in hosts.items():
            parts.append(f"Host {name}\n    HostName {addresses[0]}\n")
            kind, key = self.host_key(name).with_suffix(".pub").read_text().split()[:2]
            known.append(f"{','.join([name, *addresses])} {kind} {key}\n")
        _replace(self.known_hosts, "".join(known))
        _replace(self.config, "".join(parts))

    def _pair(self, path: Path, comment: str) -> Path:
        if not path.with_suffix(".pub").exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)
            _give_to_user(path)
        return path


def _word(path: Path) -> str:
    """A path as ssh_config takes it, blanks and percent signs included."""
    return '"' + str(path).replace("%", "%%") + '"'


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text)
    _give_to_user(part)
    part.rename(path)


def _give_to_user(path: Path) -> None:
    """What root wrote under sudo belongs to whom it was written for: ssh reads no other's key."""
    if os.geteuid() == 0 and "SUDO_UID" in os.environ:
        os.chown(path, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))
