"""Starts the Docker engine. An engine that is already there is used if it is suitable, and never replaced."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.record import Record
from fleethands.facts.units import Unit
from fleethands.operations.core.decision import Change, Decision, Refused, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.settings import HostSettings
from fleethands.settings.packages import needs_docker

AT_BOOT = frozenset({"enabled", "generated", "indirect", "alias"})
REMAPPED = "its containers may use neither Docker's socket nor the directories of OpenHands"
REMAPPED_OLLAMA = "its containers may use neither the host's network nor its directories"


@dataclass(frozen=True)
class StartUnit(HostScript, file="start_unit"):
    """Starts a unit, now and at boot."""

    unit: str


def check_engine(settings: HostSettings, probe: Probe) -> Refused | None:
    """Why the engine of the host cannot be used; None where no container is declared."""
    if not needs_docker(settings) or not probe.knows("docker"):
        return None
    return _check_kind(settings, probe) or _check_isolation(settings, probe) or _check_masked(settings, probe)


def declare_without_docker(settings: HostSettings) -> str:
    """The hint that says how to declare the same without Docker."""
    ways = {"OpenHands": '`"openhands_flavor": "source"`'} if settings.container_image else {}
    ways |= {"Ollama": '`"ollama_runtime": "service"`'} if settings.ollama_declared_image else {}
    return f"{' and '.join(ways)} without Docker: declare {' and '.join(ways.values())}"


def _check_kind(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse what is not a Docker of the system: Podman, a snap, an engine without its command."""
    engine, alternative = probe.docker.engine, declare_without_docker(settings)
    if engine.podman:
        if "podman-docker" in probe.packages:
            give_up = "if Docker may take its place, on the host: apt-get remove podman-docker; rm -f /run/docker.sock"
            return Refused("the command docker is Podman's here (package podman-docker)", (give_up, alternative))
        return Refused("Podman answers in Docker's place", ("see it, on the host: ls -l /run/docker.sock", alternative))
    if engine.unit.startswith("snap.") or (engine.snap and not probe.docker.installed):
        give_up = "if it may go, with all its containers, on the host: snap remove docker"
        return Refused("Docker is a snap here, whose containers can't use directories in /opt", (alternative, give_up))
    if engine.version and not probe.docker.installed:
        found = "link it to /usr/local/bin; find it, on the host: find / -xdev -name docker -type f -perm -100"
        return Refused("Docker answers at /run/docker.sock, and root finds no command docker", (found, alternative))
    return None


def _check_isolation(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse a Docker whose containers are not root's, or that does not start at boot."""
    engine, alternative = probe.docker.engine, declare_without_docker(settings)
    remapped = REMAPPED if settings.container_image else REMAPPED_OLLAMA
    if "rootless" in engine.security:
        look = "see it, on the host: docker info --format '{{.SecurityOptions}}'"
        return Refused(f"Docker runs rootless here: {remapped}", (look, alternative))
    if "userns" in engine.security:
        remap = "or take `userns-remap` out of /etc/docker/daemon.json; Docker sees none of its present containers then"
        return Refused(f"Docker remaps users here (userns-remap): {remapped}", (alternative, remap))
    if engine.unit == "-":
        look = "give it a unit that is enabled; see who it is, on the host: ss -lxp src /run/docker.sock"
        return Refused("Docker answers here, and no unit starts it at boot", (look, alternative))
    if engine.unit and engine.enabled not in AT_BOOT:
        enable = f"on the host: systemctl enable {engine.unit}"
        return Refused(
            f"Docker is {engine.unit} here, which does not start at boot ({engine.enabled})", (enable, alternative)
        )
    return None


def _check_masked(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse to unmask what a user has masked."""
    if probe.docker.version is not None:
        return None
    units = (paths.DOCKER_SERVICE, paths.DOCKER_SOCKET)
    masked = [name for name in units if name in probe.units and probe.units[name].load == "masked"]
    if not masked:
        return None
    names = " ".join(masked)
    return Refused(
        f"{' and '.join(masked)} {'are' if len(masked) > 1 else 'is'} masked on this host",
        (f"if Docker may run, on the host: systemctl unmask {names}", declare_without_docker(settings)),
    )


@operation
def start(settings: HostSettings, probe: Probe) -> Decision:
    """Start Docker now and at boot, if a container is declared, or a managed one has to be removed."""
    only_to_remove = not needs_docker(settings)
    if only_to_remove and not _may_have_our_container(settings, probe):
        return Unchanged("no setting needs Docker")
    name = paths.DOCKER_SERVICE
    state, unit = probe.units.get(name), probe.docker.engine.unit
    if unit:  # preflight refuses a unit that does not start at boot
        return Unchanged(f"Docker runs by {unit}, now and at boot")
    if state is not None and (state.active, state.enabled) == ("active", "enabled"):
        return Unchanged(f"{name} runs, now and at boot")

    def predict(probe: Probe) -> Probe:
        unit_state = Unit("loaded", "active", "running", "enabled", -1, False, (), "", 0, "success")
        docker = replace(probe.docker, version=probe.docker.version or "to be started")
        return probe.replace(units={**probe.units, name: unit_state}, docker=docker)

    before = "absent" if state is None or state.load != "loaded" else f"{state.active}, {state.enabled} at boot"
    script = StartUnit(name).script
    why = "the container of the last apply is removed; otherwise it starts again with Docker" if only_to_remove else ""
    return Change(name, before, "active, enabled at boot", script, predict, why=why, notes=_rootless(probe))


def _may_have_our_container(settings: HostSettings, probe: Probe) -> bool:
    """Whether Docker is stopped, and had a managed container at the last apply."""
    record = Record.parse(probe.files[paths.CURRENT_RECORD].content)
    if record is None or not record.versions["image"].get("name"):
        return False
    return probe.docker.installed and probe.docker.version is None and not _check_masked(settings, probe)


def _rootless(probe: Probe) -> tuple[str, ...]:
    """A note where users of the host already run a rootless Docker of their own."""
    users = ", ".join(sorted(probe.docker.engine.rootless))
    keep = f"systemctl mask {paths.DOCKER_SERVICE} {paths.DOCKER_SOCKET}"
    note = f"the rootless Docker of {users} is left alone; to have no Docker of root's, on the host: {keep}"
    return (note,) if users else ()
