"""OpenHands as a service without a container, from what was built on its host (build_from_source.py)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.units import Unit
from fleethands.operations.core import diff
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.core.ownership import disown, is_managed, is_written_by_fleethands
from fleethands.operations.openhands import conflicts, unmaintained
from fleethands.operations.openhands.build_from_source import BUILDER
from fleethands.operations.openhands.container import READY_WITHIN
from fleethands.operations.openhands.desired_service import DesiredService
from fleethands.operations.openhands.model_warnings import model_warnings
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.openhands import generation_of

FILES = (paths.OPENHANDS_ENVIRONMENT, paths.OPENHANDS_CONFIG)  # what the unit reads


@dataclass(frozen=True)
class RunService(HostScript, file="source_serve", parts=("containers", "openhands")):
    """The variables of source_serve.sh, which says what they mean."""

    unit: str
    text: str
    environment: str
    config: str
    started: str
    url: str
    limit: int
    container: str
    adopt: bool
    key_file: str
    user: str
    own: str
    nested: str


@dataclass(frozen=True)
class RemoveService(HostScript, file="source_off", parts=("containers", "openhands")):
    """Removes the service, its builds and its files, separated by spaces."""

    releases: str
    builder: str
    files: str


@operation
def serve(
    settings: HostSettings, probe: Probe, text: str, environment: str, config: str, shown: frozenset[str]
) -> Decision:
    """
    Run the service from this unit. If it is not ready, or not proven, the previous container or service is restored.

    + text, environment, config: contents of the unit, of its variables and of config.toml (empty: none is read)
    + shown: names of variables that a diff may show
    """
    wanted = DesiredService(text, environment, config, _revision(text, settings, probe))
    difference = _find_difference(settings, probe, wanted)
    if difference is None:
        return Unchanged(f"{paths.OPENHANDS_SERVICE} runs from this unit", model_warnings(settings, probe))
    if refused := conflicts.check_conflicts(settings, probe):
        return refused
    is_running = probe.files[paths.OPENHANDS_UNIT].kind != "absent" or probe.docker.container
    downtime = "OpenHands is away until it answers; conversations under way end" if is_running else ""
    return Change(
        paths.OPENHANDS_SERVICE,
        difference,
        settings.openhands_source.title,
        _script(settings, probe, wanted),
        lambda probe: _predict(settings, probe, wanted),
        consequence="; ".join(filter(None, (downtime, conflicts.adoption_impact(probe)))),
        diff="".join(diff.unified_diff(path, probe.files[path], file, shown) for path, file in wanted.files.items()),
        notes=(*model_warnings(settings, probe), *unmaintained.notes(settings)),
    )


def _find_difference(settings: HostSettings, probe: Probe, wanted: DesiredService) -> str | None:
    unit, is_started = probe.units.get(paths.OPENHANDS_SERVICE), wanted.is_started(probe)
    if is_started and unit is not None and (unit.active, unit.enabled) == ("active", "enabled"):
        wrong = next((path for path in _directories(settings) if probe.files[path].owner != _owner(settings)), None)
        return f"running, but {wrong} does not belong to {settings.openhands_user}" if wrong else None
    if probe.files[paths.OPENHANDS_UNIT].kind == "absent":
        return "absent"
    return "not running" if is_started else "another unit, other variables or another build"


def _script(settings: HostSettings, probe: Probe, wanted: DesiredService) -> Script:
    generation = generation_of(settings)
    return RunService(
        unit=paths.OPENHANDS_UNIT,
        text=wanted.text,
        environment=wanted.environment,
        config=wanted.config,
        started=paths.OPENHANDS_STARTED,
        url=settings.openhands_url + generation.ready,
        limit=READY_WITHIN,
        container=paths.CONTAINER,
        adopt=conflicts.has_foreign_container(probe),
        key_file=paths.CANVAS_KEY if generation.needs_key else "",
        user=settings.openhands_user,
        own="\n".join(path for path in _directories(settings) if path != generation.directory),
        nested=generation.directory,
    ).script


def _predict(settings: HostSettings, probe: Probe, wanted: DesiredService) -> Probe:
    state = Unit("loaded", "active", "running", "enabled", -1, False, (), paths.OPENHANDS_UNIT, 0, "success")
    started = File("file", "0644", content=f"{wanted.revision}\n".encode())
    for path, file in {**wanted.files, paths.OPENHANDS_STARTED: started}.items():
        probe = probe.with_file(path, file)
    for path in _directories(settings):
        directory = File("directory", "0700") if probe.files[path] == ABSENT else probe.files[path]
        probe = probe.with_file(path, replace(directory, uid=-1, gid=-1, owner=_owner(settings)))
    docker = replace(probe.docker, container=None)
    return probe.replace(units={**probe.units, paths.OPENHANDS_SERVICE: state}, docker=docker)


def _directories(settings: HostSettings) -> tuple[str, ...]:
    """The directories that the service works in."""
    generation = generation_of(settings)
    return (*dict.fromkeys((generation.home, generation.directory)), str(settings.openhands_workspace))


def _owner(settings: HostSettings) -> str:
    return f"{settings.openhands_user}:{settings.openhands_user}"


def _revision(text: str, settings: HostSettings, probe: Probe) -> str:
    """Digest of the unit and of the build that it starts. The unit records it when it starts."""
    build = probe.files[str(settings.openhands_built)].content or b""
    return hashlib.sha256(text.encode() + build).hexdigest()


@operation
def remove(settings: HostSettings, probe: Probe, why: str = "the setting `openhands_flavor` is off") -> Decision:
    """Remove the managed service. Workspace and state stay."""
    if not is_installed(probe):
        return Unchanged("there is no managed service")
    script = RemoveService(paths.OPENHANDS_SOURCE, BUILDER, " ".join(FILES)).script
    return Change(paths.OPENHANDS_SERVICE, "present", "gone", script, _predict_removal, why=why)


def _predict_removal(probe: Probe) -> Probe:
    units = {name: unit for name, unit in probe.units.items() if name != paths.OPENHANDS_SERVICE}
    unit = () if conflicts.has_foreign_unit(probe) else (paths.OPENHANDS_UNIT,)
    for path in (*unit, *FILES):
        probe = probe.with_file(path, ABSENT)
    return disown(disown(probe.replace(units=units), "directory", paths.OPENHANDS_SOURCE), "user", BUILDER)


def is_installed(probe: Probe) -> bool:
    """Whether the host has our unit, or anything that belongs to it."""
    return (
        is_written_by_fleethands(probe, paths.OPENHANDS_UNIT)
        or is_managed(probe, "directory", paths.OPENHANDS_SOURCE)
        or any(probe.files[path].kind != "absent" for path in FILES)
    )
