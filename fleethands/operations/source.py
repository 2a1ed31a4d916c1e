"""OpenHands from upstream's release (npm), as a service of this host without a container."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.probe import ABSENT, File, Unit
from fleethands.operations.change import Change, Decision, Same, operation, step
from fleethands.operations.openhands import READY_WITHIN, warnings
from fleethands.settings import HostSettings
from fleethands.settings.openhands import generation_of

OURS = b"# Written by fleethands"
# releases whose dependencies have moved on since, to what they can't use: FastAPI 0.142 and agent-server 1.44 (tried)
NEWEST_DEPENDENCIES = {"1.16.0": "2026-09-01"}
REHEARSAL_PORTS = "18910 18911 18912 18913"


def _requirements() -> str:
    return files("fleethands.operations").joinpath("scripts", "source.txt").read_text()


def recipe(settings: HostSettings) -> str:
    """What a release is built from; another one is built anew."""
    release = settings.openhands_release
    parts = (release, _requirements(), NEWEST_DEPENDENCIES.get(release, ""), settings.openhands_user)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest() + "\n"


@operation
def built(settings: HostSettings, seen: Probe) -> Decision:
    """Have the release built, beside what runs."""
    release, marker, wanted = settings.openhands_release, str(settings.openhands_built), recipe(settings)
    found = seen.files[marker]
    if found.content == wanted.encode():
        return Same(f"Agent Canvas {release} is built")
    script = step(
        "source_build",
        root=f"{paths.OPENHANDS_SOURCE}/{release}",
        release=release,
        marker=marker,
        recipe=wanted,
        user=settings.openhands_user,
        requirements=_requirements(),
        newest=NEWEST_DEPENDENCIES.get(release, ""),
        ports=REHEARSAL_PORTS,
    )
    whole = File("file", "0644", owner="root:root", content=wanted.encode())
    return Change(
        f"Agent Canvas {release}",
        "absent" if found.kind == "absent" else "built from something else",
        "built",
        script,
        lambda probe: probe.with_file(marker, whole),
        consequence="downloads Node, uv, the npm package and its Python environments, some 2 GB; what runs goes on",
    )


@operation
def serve(settings: HostSettings, seen: Probe, text: str) -> Decision:
    """
    Have the service run from this unit. What was OpenHands before comes back if this is not ready, or not proven.

    + text: of the unit
    """
    digest = hashlib.sha256(text.encode()).hexdigest()
    started = (seen.files[paths.OPENHANDS_STARTED].content or b"").decode().strip()
    found, unit = seen.files[paths.OPENHANDS_UNIT], seen.units.get(paths.OPENHANDS_SERVICE)
    as_declared = found.content == text.encode() and started == digest
    if as_declared and unit is not None and (unit.active, unit.enabled) == ("active", "enabled"):
        return Same(f"{paths.OPENHANDS_SERVICE} runs from this unit", warnings(settings, seen))
    script = step(
        "source_serve",
        unit=paths.OPENHANDS_UNIT,
        text=text,
        url=settings.openhands_url + generation_of(settings).ready,
        limit=str(READY_WITHIN),
        container=paths.CONTAINER,
        key_file=paths.CANVAS_KEY,
    )
    before = "absent" if found.kind == "absent" else "another unit" if not as_declared else "not running"

    def then(probe: Probe) -> Probe:
        state = Unit("loaded", "active", "running", "enabled", -1, False, (), paths.OPENHANDS_UNIT, 0, "success")
        probe = probe.with_file(paths.OPENHANDS_UNIT, File("file", "0644", owner="root:root", content=text.encode()))
        probe = probe.with_file(paths.OPENHANDS_STARTED, File("file", "0644", content=f"{digest}\n".encode()))
        return probe.having(units={**probe.units, paths.OPENHANDS_SERVICE: state})

    effect = "OpenHands is away until it answers; conversations under way end"
    consequence = effect if found.kind != "absent" or seen.docker.container else ""
    return Change(
        paths.OPENHANDS_SERVICE,
        before,
        f"Agent Canvas {settings.openhands_release}",
        script,
        then,
        consequence=consequence,
        notes=warnings(settings, seen),
    )


@operation
def gone(settings: HostSettings, seen: Probe, why: str = "the setting `openhands_flavor` is off") -> Decision:
    """Have no service of ours; workspace and state stay."""
    if not is_there(seen):
        return Same("there is no service of ours")

    def then(probe: Probe) -> Probe:
        units = {name: unit for name, unit in probe.units.items() if name != paths.OPENHANDS_SERVICE}
        return probe.having(units=units).with_file(paths.OPENHANDS_UNIT, ABSENT)

    script = step("source_off", releases=paths.OPENHANDS_SOURCE, environment=paths.OPENHANDS_ENVIRONMENT)
    return Change(paths.OPENHANDS_SERVICE, "present", "gone", script, then, why=why)


def is_there(seen: Probe) -> bool:
    """Whether the host has a unit of ours."""
    return (seen.files[paths.OPENHANDS_UNIT].content or b"").startswith(OURS)
