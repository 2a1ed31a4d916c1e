"""The base systems: Debian as mmdebstrap makes it once, and the same with what every lab host has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab import cache, guest, sources
from tests.lab.disk import Disk
from tests.lab.shell import run, step

BARE = (
    *("systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "ca-certificates"),
    *("iproute2", "procps", "libstdc++6"),
)
TOOLS = (*BARE, "curl", "zstd", "pigz", "nftables", "iptables", "docker.io")
PACKAGES = {
    "trixie": (*TOOLS, "docker-cli"),
    "bookworm": TOOLS,
    "trixie-nodocker": BARE,
    "bookworm-nodocker": BARE,
}
UNNEEDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


def bases(disk: Disk, names: set[str]) -> dict[str, Path]:
    """The base systems of these names, read-only, made side by side where they are missing."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(sorted(names), pool.map(lambda name: base(disk, name), sorted(names)), strict=True))


def base(disk: Disk, name: str) -> Path:
    """The base system `name` ready to be snapshotted as a host."""
    certificate = _certificate()
    packages = f"{name}-{cache.key(*PACKAGES[name], *UNNEEDED)}"
    ready = disk.root / "bases" / f"{packages}-{cache.key(Path(guest.__file__), certificate)}"
    if ready.exists():
        return ready
    with cache.lock(f"base-{name}"):
        if not ready.exists():
            part = ready.with_name(f"{ready.name}.part")
            disk.snapshot(_packages(disk, name, packages), part)
            guest.prepare(part, certificate)
            disk.seal(part, ready)
    return ready


def _packages(disk: Disk, name: str, place: str) -> Path:
    target = disk.root / "bases" / place
    if target.exists():
        return target
    part = target.with_name(f"{place}.part")
    disk.create(part)
    with step(f"base system {name}"):
        _mmdebstrap(name, part)
    disk.seal(part, target)
    return target


def _mmdebstrap(name: str, target: Path) -> None:
    suite = name.partition("-")[0]
    run(
        # A build whose maker is killed dies with all its children, before the next one starts over.
        *("setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", "--quiet"),
        "--include=" + ",".join(PACKAGES[name]),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in UNNEEDED),
        suite,
        target,
        *sources.debian(suite),
        timeout=1200,
    )


def _certificate() -> Path:
    from tests.lab.internet import authority  # noqa: PLC0415  (made when the first base is)

    return authority.certificate()
