"""What is written into a host's files while it is off: what all hosts share, and what makes it this one."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.shell import run

USERS = ("admin", "plain")
CERTIFICATE = Path("usr/local/share/ca-certificates/lab.crt")
# There are no kernel modules to load in a guest. apt's timers would hold its lock at random times, and the others write
# files at midnight.
MASKED = (
    "systemd-modules-load.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "logrotate.timer",
    "man-db.timer",
)
SSHD = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
"""
# 20.10 would choose its btrfs driver, whose layers are subvolumes that a snapshot of the host leaves out.
DOCKER = '{"storage-driver": "overlay2"}\n'
NETWORK = """\
[Match]
Name=host0

[Network]
Address={address}/24
Gateway={gateway}
Address={address6}/64
Gateway={gateway6}
IPv6AcceptRA=no
IPv6DuplicateAddressDetection=0
"""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a host is: all that differs between two hosts of one state."""

    name: str
    machine: str
    address: str
    address6: str
    gateway: str
    gateway6: str
    host_key: Path
    authorized_key: str
    names: Mapping[str, Sequence[str]]  # address -> host names

    def apply(self, root: Path) -> None:
        """Make the system under `root` this host, whoever it was before."""
        _write(root, "etc/hostname", f"{self.name}\n")
        _write(root, "etc/hosts", self._hosts())
        _write(root, "etc/machine-id", hashlib.sha256(self.machine.encode()).hexdigest()[:32] + "\n")
        _write(root, "etc/resolv.conf", "# no name server: the lab's names stand in /etc/hosts\n")
        _write(root, "etc/systemd/network/10-lab.network", NETWORK.format(**self.__dict__))
        key = "etc/ssh/ssh_host_ed25519_key"
        _write(root, key, self.host_key.read_text(), mode=0o600)
        _write(root, f"{key}.pub", self.host_key.with_suffix(".pub").read_text())
        for home in ("root", *(f"home/{user}" for user in USERS)):
            _write(root, f"{home}/.ssh/authorized_keys", self.authorized_key, mode=0o600)

    def _hosts(self) -> str:
        fixed = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
        return fixed + "".join(f"{address} {' '.join(names)}\n" for address, names in self.names.items())


def prepare(root: Path, certificate: Path) -> None:
    """Turn what mmdebstrap made into the system that every host starts from."""
    _forget_the_build(root)
    for user in USERS:
        run("chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", user)
        _chown(root, user)
    _write(root, "etc/sudoers.d/admin", "admin ALL=(ALL:ALL) NOPASSWD: ALL\n", mode=0o440)
    _write(root, "etc/ssh/sshd_config.d/lab.conf", SSHD)
    _write(root, str(CERTIFICATE), certificate.read_text())
    run("chroot", root, "update-ca-certificates", "--fresh")
    run("systemctl", f"--root={root}", "enable", "systemd-networkd.service")
    run("systemctl", f"--root={root}", "mask", *MASKED)
    if suite(root) == "bookworm":
        _write(root, "etc/docker/daemon.json", DOCKER)
    for folder in ("etc", "var"):  # or every first boot updates what the packages have made up to date
        (root / folder / ".updated").touch()
    # Where these are missing systemd makes subvolumes of them, which a snapshot would leave out.
    for folder in ("var/lib/machines", "var/lib/portables"):
        (root / folder).mkdir(mode=0o700, exist_ok=True)


def suite(root: Path) -> str:
    """The code name of the Debian under `root`."""
    lines = (root / "etc/os-release").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return values["VERSION_CODENAME"].strip('"')


def _forget_the_build(root: Path) -> None:
    """No archive's address, no key and no machine id of the machine that built it."""
    for path in (root / "etc/apt/sources.list.d").iterdir():
        path.unlink()
    _write(root, "etc/apt/sources.list", "")
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    (root / "var/lib/apt/lists/partial").mkdir(parents=True)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    (root / "var/lib/dbus/machine-id").unlink(missing_ok=True)
    (root / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")


def _chown(root: Path, user: str) -> None:
    folder = root / "home" / user / ".ssh"
    folder.mkdir(mode=0o700)
    _write(root, f"home/{user}/.ssh/authorized_keys", "")
    run("chroot", root, "chown", "--recursive", f"{user}:{user}", f"/home/{user}")


def _write(root: Path, name: str, text: str, *, mode: int = 0o644) -> None:
    """Write a file under `root` that belongs to whom it belonged before; a link there is replaced."""
    path = root / name
    path.parent.mkdir(mode=0o700 if path.parent.name == ".ssh" else 0o755, parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.write_text(text)
    path.chmod(mode)
