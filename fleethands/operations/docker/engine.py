"""A Docker engine runs; one that is there is used if it will do, and never replaced."""

from __future__ import annotations

from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.record import Record
from fleethands.facts.units import Unit
from fleethands.operations.core.operation import Change, Decision, Refused, Unchanged, operation, step
from fleethands.settings import HostSettings
from fleethands.settings.packages import needs_docker

AT_BOOT = frozenset({"enabled", "generated", "indirect", "alias"})
REMAPPED = "its containers may use neither Docker's socket nor the directories of OpenHands"
REMAPPED_OLLAMA = "its containers may use neither the host's network nor its directories"


def check_engine(settings: HostSettings, probe: Probe) -> Refused | None:
    """Why what is there will not do, and is left as it is; None where no container is declared."""
    if not needs_docker(settings) or not probe.knows("docker"):
        return None
    return _another(settings, probe) or _apart(settings, probe) or _masked(settings, probe)


def without(settings: HostSettings) -> str:
    """How a host has what is declared without Docker."""
    ways = {"OpenHands": '`"openhands_flavor": "source"`'} if settings.container_image else {}
    ways |= {"Ollama": '`"ollama_runtime": "service"`'} if settings.ollama_declared_image else {}
    return f"{' and '.join(ways)} without Docker: declare {' and '.join(ways.values())}"


def _another(settings: HostSettings, probe: Probe) -> Refused | None:
    """Something else than a Docker of the system's."""
    engine, way_out = probe.docker.engine, without(settings)
    if engine.podman:
        if "podman-docker" in probe.packages:
            give_up = "if Docker may take its place, on the host: apt-get remove podman-docker; rm -f /run/docker.sock"
            return Refused("the command docker is Podman's here (package podman-docker)", (give_up, way_out))
        return Refused("Podman answers in Docker's place", ("see it, on the host: ls -l /run/docker.sock", way_out))
    if engine.unit.startswith("snap.") or (engine.snap and not probe.docker.installed):
        give_up = "if it may go, with all its containers, on the host: snap remove docker"
        return Refused("Docker is a snap here, whose containers can't use directories in /opt", (way_out, give_up))
    if engine.version and not probe.docker.installed:
        found = "link it to /usr/local/bin; find it, on the host: find / -xdev -name docker -type f -perm -100"
        return Refused("Docker answers at /run/docker.sock, and root finds no command docker", (found, way_out))
    return None


def _apart(settings: HostSettings, probe: Probe) -> Refused | None:
    """A Docker whose containers are not root's, or that is gone after a boot."""
    engine, way_out = probe.docker.engine, without(settings)
    remapped = REMAPPED if settings.container_image else REMAPPED_OLLAMA
    if "rootless" in engine.security:
        look = "see it, on the host: docker info --format '{{.SecurityOptions}}'"
        return Refused(f"Docker runs rootless here: {remapped}", (look, way_out))
    if "userns" in engine.security:
        remap = "or take `userns-remap` out of /etc/docker/daemon.json; Docker sees none of its present containers then"
        return Refused(f"Docker remaps users here (userns-remap): {remapped}", (way_out, remap))
    if engine.unit == "-":
        look = "give it a unit that is enabled; see who it is, on the host: ss -lxp src /run/docker.sock"
        return Refused("Docker answers here, and no unit starts it at boot", (look, way_out))
    if engine.unit and engine.enabled not in AT_BOOT:
        enable = f"on the host: systemctl enable {engine.unit}"
        return Refused(
            f"Docker is {engine.unit} here, which does not start at boot ({engine.enabled})", (enable, way_out)
        )
    return None


def _masked(settings: HostSettings, probe: Probe) -> Refused | None:
    """What a person masked is only named."""
    if probe.docker.version is not None:
        return None
    units = (paths.DOCKER_SERVICE, paths.DOCKER_SOCKET)
    masked = [name for name in units if name in probe.units and probe.units[name].load == "masked"]
    if not masked:
        return None
    names = " ".join(masked)
    return Refused(
        f"{' and '.join(masked)} {'are' if len(masked) > 1 else 'is'} masked on this host",
        (f"if Docker may run, on the host: systemctl unmask {names}", without(settings)),
    )


@operation
def start(settings: HostSettings, probe: Probe) -> Decision:
    """Have it run now and at boot, where a container is declared, or one of ours is to be taken away."""
    left = not needs_docker(settings)
    if left and not _may_hold_ours(settings, probe):
        return Unchanged("nothing that is declared needs Docker")
    name = paths.DOCKER_SERVICE
    state, unit = probe.units.get(name), probe.docker.engine.unit
    if unit:  # refused beforehand where it does not start at boot
        return Unchanged(f"Docker runs by {unit}, now and at boot")
    if state is not None and (state.active, state.enabled) == ("active", "enabled"):
        return Unchanged(f"{name} runs, now and at boot")

    def predict(probe: Probe) -> Probe:
        unit_state = Unit("loaded", "active", "running", "enabled", -1, False, (), "", 0, "success")
        docker = replace(probe.docker, version=probe.docker.version or "to be started")
        return probe.having(units={**probe.units, name: unit_state}, docker=docker)

    before = "absent" if state is None or state.load != "loaded" else f"{state.active}, {state.enabled} at boot"
    script = step("service", unit=name)
    why = "the container of the last apply is taken away, and comes back with Docker otherwise" if left else ""
    return Change(name, before, "active, enabled at boot", script, predict, why=why, notes=_rootless(probe))


def _may_hold_ours(settings: HostSettings, probe: Probe) -> bool:
    """Whether Docker does not run, and had a container of ours when this host was applied last."""
    record = Record.parse(probe.files[paths.RECORD].content)
    if record is None or not record.versions["image"].get("name"):
        return False
    return probe.docker.installed and probe.docker.version is None and not _masked(settings, probe)


def _rootless(probe: Probe) -> tuple[str, ...]:
    """Root's engine is started beside those of people, whom that may surprise."""
    users = ", ".join(sorted(probe.docker.engine.rootless))
    keep = f"systemctl mask {paths.DOCKER_SERVICE} {paths.DOCKER_SOCKET}"
    return (
        (f"Docker runs rootless for {users}, and stays; to have none for root, on the host: {keep}",) if users else ()
    )
