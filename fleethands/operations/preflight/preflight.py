"""Checks a host before anything on it changes."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.facts.system import System
from fleethands.operations.core.decision import Decision, Refused, Unchanged
from fleethands.operations.core.operation import operation
from fleethands.operations.delivery import deliver
from fleethands.operations.docker import engine
from fleethands.operations.ollama import adoption_checks, external, vulnerabilities
from fleethands.operations.openhands import proxy_conflicts
from fleethands.operations.preflight import (
    container_gpus,
    disk_space,
    gpus,
    idle_gpus,
    model_fit,
    ports,
    reachable_sources,
    unverified_downloads,
)
from fleethands.operations.system import access
from fleethands.settings import HostSettings
from fleethands.settings.lockfile import LOCKFILE_NAME
from fleethands.settings.pins import PIN
from fleethands.settings.schema import ollama_env_releases
from fleethands.settings.values.ollama_release import ARCHS

SYSTEMS = ("debian", "ubuntu")
SYSTEMD_UP = ("running", "degraded", "starting")
NO_CLOUD = "OLLAMA_NO_CLOUD"
MAX_SKEW = 300  # seconds: with a wrong clock, certificates and signed addresses of downloads are invalid


@operation
def check(settings: HostSettings, probe: Probe) -> Decision:
    """Refuse a host that cannot reach its declared state, with the reason. Changes nothing."""
    return (
        _check_system(probe.system)
        or _check_clock(probe.system)
        or external.check_external(settings, probe)
        or adoption_checks.check_existing_ollama(settings, probe)
        or engine.check_engine(settings, probe)
        or ports.check_ports(settings, probe)
        or access.check_access(settings, probe)
        or gpus.check_gpus(settings, probe)
        or container_gpus.check_container_gpus(settings, probe)
        or deliver.check_bundle(settings, probe)
        or reachable_sources.check_sources(settings, probe)
        or model_fit.check_fit(settings, probe)
        or disk_space.check_disk_space(settings, probe)
        or Unchanged(f"{probe.system.os_name} on {probe.system.arch}", _notes(settings, probe))
    )


def _notes(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    return (
        *_pin_notes(settings),
        *unverified_downloads.notes(settings, probe),
        *_lock_notes(probe),
        *_ollama_notes(settings, probe),
        *proxy_conflicts.proxy_notes(settings),
    )


def _ollama_notes(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    if not settings.manages_ollama:
        known = probe.ollama.version if probe.knows("ollama") else None
        return (*external.unused_settings_notes(settings, probe), *vulnerabilities.notes(known or ""))
    return (
        *_cloud_notes(settings),
        *ollama_env_releases.notes(settings.ollama_env, settings.ollama_version),
        *gpus.notes(settings, probe),
        *idle_gpus.notes(settings, probe),
        *model_fit.notes(settings, probe),
        *vulnerabilities.notes(settings.ollama_version),
    )


def _cloud_notes(settings: HostSettings) -> tuple[str, ...]:
    """Ollama asks its vendor's server at its start, also on a host that has no way to it."""
    if not settings.pins.bundles or NO_CLOUD in settings.ollama_env:
        return ()
    return (
        f'Ollama itself asks ollama.com at its start; to switch that off, declare `ollama_env`: {{"{NO_CLOUD}": "1"}}',
    )


def _pin_notes(settings: HostSettings) -> tuple[str, ...]:
    missing = settings.pins.missing
    return (f"{LOCKFILE_NAME} does not pin {', '.join(missing)}; {PIN}",) if missing else ()


def _lock_notes(probe: Probe) -> tuple[str, ...]:
    by = probe.lock.by if probe.knows("lock") else None
    return (f"locked by {by}",) if by else ()


def _check_system(system: System) -> Refused | None:
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


def _check_clock(system: System) -> Refused | None:
    if abs(system.skew) <= MAX_SKEW:
        return None
    return Refused(
        f"the clock is {abs(system.skew) // 60} min {'ahead of' if system.skew > 0 else 'behind'} the controller's",
        ("on the host: timedatectl set-ntp true", "look at both: date -u"),
    )
