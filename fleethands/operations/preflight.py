"""What stands against a host, before anything on it is changed."""

from __future__ import annotations

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.probe import System
from fleethands.operations.change import Decision, Refused, Same, operation
from fleethands.settings import HostSettings

ARCHS = {"x86_64": "amd64", "aarch64": "arm64"}
SYSTEMS = ("debian", "ubuntu")
SYSTEMD_UP = ("running", "degraded", "starting")
ROOM_KIB = {"/opt": 2 * 1024 * 1024, "/var/lib": 4 * 1024 * 1024}


@operation
def check(settings: HostSettings, seen: Probe) -> Decision:
    """Refuse a host that can't be brought to its state, with the reason. Changes nothing."""
    return (
        _system(seen.system)
        or _room(seen)
        or _foreign_ollama(seen)
        or _ports(settings, seen)
        or Same(f"{seen.system.os_name} on {seen.system.arch}")
    )


def _system(system: System) -> Refused | None:
    if system.arch not in ARCHS:
        return Refused(f"Ollama has no Linux release for {system.arch}", (f"it has for {' and '.join(ARCHS)}",))
    if system.os_id not in SYSTEMS:
        return Refused(f"{system.os_name or 'this system'} is not supported", ("supported: Debian and Ubuntu",))
    if system.systemd is None:
        hints = (
            "add to /etc/wsl.conf: [boot]",
            "and below it: systemd=true",
            "then in Windows: wsl --shutdown",
        )
        return Refused(
            "systemd does not run here", hints if system.wsl else ("boot the host with systemd as its init",)
        )
    if system.systemd not in SYSTEMD_UP:
        return Refused(f"systemd is {system.systemd or 'not answering'}", ("on the host: systemctl status",))
    return None


def _room(seen: Probe) -> Refused | None:
    for place, space in seen.disk.items():
        if not space.writable:
            return Refused(f"{place} is not writable", ("on the host: mount -o remount,rw /",))
    if seen.files[paths.CURRENT].kind != "absent":
        return None
    for place, needed in ROOM_KIB.items():
        space = seen.disk.get(place) or seen.disk["/"]
        if space.free_kib < needed:
            return Refused(
                f"{place} has {space.free_kib // 1024} MiB free, {needed // 1024} MiB are needed",
                ("on the host: df -h",),
            )
    return None


def _foreign_ollama(seen: Probe) -> Refused | None:
    binary = seen.files[paths.BINARY]
    if binary.kind == "absent" or (binary.kind == "link" and binary.target.startswith(paths.RELEASES + "/")):
        return None
    return Refused(
        f"{paths.BINARY} was put there by something else",
        (f"move it away, its models stay: systemctl stop ollama; mv {paths.BINARY} {paths.BINARY}.before",),
    )


def _ports(settings: HostSettings, seen: Probe) -> Refused | None:
    ours = {settings.ollama_host.port: {"ollama"}, settings.openhands_port: {"docker-proxy"}}
    if settings.openhands_flavor == "off":
        del ours[settings.openhands_port]
    for listener in seen.sockets:
        allowed = ours.get(listener.port)
        if allowed is None or listener.process in allowed:
            continue
        owner = f"`{listener.process}`" if listener.process else "another process"
        return Refused(
            f"port {listener.port} is held by {owner}",
            (f"see it on the host: ss -ltnp 'sport = :{listener.port}'",),
        )
    return None
