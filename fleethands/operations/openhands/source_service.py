"""OpenHands as a service without a container, of what was built on its host (build.py)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.units import Unit
from fleethands.operations.core import diff
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import step
from fleethands.operations.core.operation import operation
from fleethands.operations.core.ownership import disown, is_managed, is_written_by_fleethands
from fleethands.operations.openhands import conflicts, unmaintained
from fleethands.operations.openhands.build_from_source import BUILDER
from fleethands.operations.openhands.container import READY_WITHIN, model_warnings
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.openhands import generation_of


@operation
def serve(
    settings: HostSettings, probe: Probe, text: str, environment: str, config: str, shown: frozenset[str]
) -> Decision:
    """
    Have the service run from this unit. What was OpenHands before comes back if this is not ready, or not proven.

    + text: of the unit; environment: of its file of variables; config: of config.toml, empty where none is read
    + shown: names of variables that a diff may show
    """
    digest = _revision(text, settings, probe)
    started = (probe.files[paths.OPENHANDS_STARTED].content or b"").decode().strip()
    unit = probe.units.get(paths.OPENHANDS_SERVICE)
    wanted = {
        paths.OPENHANDS_UNIT: File("file", "0644", owner="root:root", content=text.encode()),
        paths.OPENHANDS_ENVIRONMENT: File(
            "file", "0600", owner="root:root", content=environment.encode(errors="surrogateescape")
        ),
    }
    if config:
        wanted[paths.OPENHANDS_CONFIG] = File("file", "0644", owner="root:root", content=config.encode())
    as_declared = started == digest and all(_matches(probe.files[path], file) for path, file in wanted.items())
    runs = as_declared and unit is not None and (unit.active, unit.enabled) == ("active", "enabled")
    disowned = next((path for path in _directories(settings) if probe.files[path].owner != _owner(settings)), None)
    if runs and disowned is None:
        return Unchanged(f"{paths.OPENHANDS_SERVICE} runs from this unit", model_warnings(settings, probe))
    if refused := conflicts.check_conflicts(settings, probe):
        return refused
    there = probe.files[paths.OPENHANDS_UNIT].kind != "absent"
    away = "OpenHands is away until it answers; conversations under way end" if there or probe.docker.container else ""
    wrong = (
        f"running, but {disowned} does not belong to {settings.openhands_user}"
        if runs
        else _find_difference(there, as_declared)
    )
    return Change(
        paths.OPENHANDS_SERVICE,
        wrong,
        settings.openhands_source.title,
        _script(settings, probe, text, environment, config),
        lambda probe: _predict(settings, probe, wanted, digest),
        consequence="; ".join(filter(None, (away, conflicts.adoption_impact(probe)))),
        diff="".join(diff.unified_diff(path, probe.files[path], file, shown) for path, file in wanted.items()),
        notes=(*model_warnings(settings, probe), *unmaintained.notes(settings)),
    )


def _script(settings: HostSettings, probe: Probe, text: str, environment: str, config: str) -> Script:
    era = generation_of(settings)
    return step(
        "source_serve",
        unit=paths.OPENHANDS_UNIT,
        text=text,
        environment=environment,
        started=paths.OPENHANDS_STARTED,
        config=config,
        url=settings.openhands_url + era.ready,
        limit=str(READY_WITHIN),
        container=paths.CONTAINER,
        adopt="yes" if conflicts.has_foreign_container(probe) else "no",
        key_file=paths.CANVAS_KEY if era.needs_key else "",
        user=settings.openhands_user,
        own="\n".join(path for path in _directories(settings) if path != era.directory),
        nested=era.directory,
    )


def _predict(settings: HostSettings, probe: Probe, wanted: dict[str, File], digest: str) -> Probe:
    state = Unit("loaded", "active", "running", "enabled", -1, False, (), paths.OPENHANDS_UNIT, 0, "success")
    started = File("file", "0644", content=f"{digest}\n".encode())
    for path, file in {**wanted, paths.OPENHANDS_STARTED: started}.items():
        probe = probe.with_file(path, file)
    for path in _directories(settings):
        there = File("directory", "0700") if probe.files[path] == ABSENT else probe.files[path]
        probe = probe.with_file(path, replace(there, uid=-1, gid=-1, owner=_owner(settings)))
    docker = replace(probe.docker, container=None)
    return probe.having(units={**probe.units, paths.OPENHANDS_SERVICE: state}, docker=docker)


def _find_difference(there: bool, as_declared: bool) -> str:
    if not there:
        return "absent"
    return "not running" if as_declared else "another unit, other variables or another build"


def _directories(settings: HostSettings) -> tuple[str, ...]:
    """The directories that the service works in."""
    era = generation_of(settings)
    return (*dict.fromkeys((era.home, era.directory)), str(settings.openhands_workspace))


def _owner(settings: HostSettings) -> str:
    return f"{settings.openhands_user}:{settings.openhands_user}"


def _matches(found: File, wanted: File) -> bool:
    return (found.content, found.mode, found.owner) == (wanted.content, wanted.mode, wanted.owner)


def _revision(text: str, settings: HostSettings, probe: Probe) -> str:
    """What the unit writes down when it is started: of itself, and of what it starts."""
    built = probe.files[str(settings.openhands_built)].content or b""
    return hashlib.sha256(text.encode() + built).hexdigest()


@operation
def remove(settings: HostSettings, probe: Probe, why: str = "the setting `openhands_flavor` is off") -> Decision:
    """Have no service of ours; workspace and state stay."""
    if not is_installed(probe):
        return Unchanged("there is no service of ours")

    def predict(predicted: Probe) -> Probe:
        units = {name: unit for name, unit in predicted.units.items() if name != paths.OPENHANDS_SERVICE}
        unit = () if conflicts.has_foreign_unit(probe) else (paths.OPENHANDS_UNIT,)
        for path in (*unit, paths.OPENHANDS_ENVIRONMENT, paths.OPENHANDS_CONFIG):
            predicted = predicted.with_file(path, ABSENT)
        predicted = disown(predicted.having(units=units), "directory", paths.OPENHANDS_SOURCE)
        return disown(predicted, "user", BUILDER)

    files = f"{paths.OPENHANDS_ENVIRONMENT} {paths.OPENHANDS_CONFIG}"
    script = step("source_off", releases=paths.OPENHANDS_SOURCE, builder=BUILDER, files=files)
    return Change(paths.OPENHANDS_SERVICE, "present", "gone", script, predict, why=why)


def is_installed(probe: Probe) -> bool:
    """Whether the host has a unit of ours, or what belongs to one."""
    files = (paths.OPENHANDS_ENVIRONMENT, paths.OPENHANDS_CONFIG)
    ours = is_written_by_fleethands(probe, paths.OPENHANDS_UNIT)
    return (
        ours
        or is_managed(probe, "directory", paths.OPENHANDS_SOURCE)
        or any(probe.files[p].kind != "absent" for p in files)
    )
