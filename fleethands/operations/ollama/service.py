"""Ollama's service, or its container: running, enabled, and started from the current files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.ollama import Ollama
from fleethands.facts.units import Unit
from fleethands.operations.core.decision import Change, Decision, Place, Refused, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.ollama import foreign_settings
from fleethands.operations.ollama.desired_process import DesiredProcess
from fleethands.operations.ollama.foreign_settings import DesiredEnvironment, ForeignSetting
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.values.envconfig import means_same

READY_WITHIN = 90  # seconds: discovery of GPUs may take 30 for each library (ollama discover/runner.go, v0.32.15)
LISTENS_WITHIN = 20  # seconds: its socket is open before it looks for anything
LABEL = "fleethands.run=ollama"  # of our container


@dataclass(frozen=True)
class StartOllama(HostScript, file="serve", parts=("image_records",)):
    """The variables of serve.sh, which says what they mean."""

    version: str
    url: str
    limit: int
    limit_listen: int
    unit: str
    override: str
    secrets: str
    image: str
    pinned: str
    container: str
    label: str
    restart: bool


@operation
def serve(settings: HostSettings, probe: Probe, revision: str) -> Decision:
    """
    Run Ollama from this revision of its files, now and at boot. The running process is compared, not only the files.

    If it does not answer in time, the last Ollama that did is restored, and this host fails.

    + revision: digest of the files, which the override puts into the process's environment
    """
    wanted = DesiredProcess.for_host(settings, probe, revision)
    unit = probe.units.get(paths.OLLAMA_SERVICE)
    difference = _difference(wanted, probe)
    restart = difference is not None
    difference = difference or (_unit_difference(unit) if unit else None)
    if difference is None:
        return Unchanged(f"{_describe(settings, revision)}, is served")
    if refused := _check_drop_ins(wanted, settings, probe, unit):
        return refused
    return Change(
        "ollama.service",
        difference + _unit_state(unit),
        _describe(settings, revision) if restart else "settled",
        _script(settings, restart),
        lambda probe: _predict(probe, wanted),
        consequence="restarts Ollama: answers under way are cut off" if restart and probe.process else "",
        place=Place.WITHIN,
    )


def _difference(wanted: DesiredProcess, probe: Probe) -> str | None:
    """Why Ollama must be restarted; None if it need not."""
    if difference := wanted.find_difference(probe.process):
        return difference
    return None if probe.ollama.version == wanted.version else "it does not answer with its version"


def _describe(settings: HostSettings, revision: str) -> str:
    """What runs. The revision is left out with secrets, because it could be used to guess them."""
    source = f" by {settings.ollama_declared_image}" if settings.ollama_declared_image else ""
    return f"Ollama {settings.ollama_version}{source}" + ("" if settings.ollama_secrets else f", revision {revision}")


def _unit_difference(unit: Unit) -> str | None:
    """What is wrong with the unit of the right process. Fixing the unit needs no restart."""
    if unit.enabled != "enabled":
        return "it does not start at boot"
    return "systemd has not read its files" if unit.need_reload else None


def _unit_state(unit: Unit | None) -> str:
    """systemd's state of a unit that does not run as it should."""
    if unit is None or unit.active in {"active", "inactive"}:
        return ""
    looping = f", restarted {unit.restarts} times" if unit.restarts else ""
    return f" ({unit.load if unit.load == 'masked' else unit.active}: {unit.result}{looping})"


def _script(settings: HostSettings, restart: bool) -> Script:
    return StartOllama(
        version=settings.ollama_version,
        url=settings.ollama_host.local_url,
        limit=READY_WITHIN,
        limit_listen=LISTENS_WITHIN,
        unit=paths.OLLAMA_UNIT,
        override=paths.OLLAMA_OVERRIDE,
        secrets=paths.OLLAMA_SECRETS,
        image=settings.ollama_declared_image,
        pinned=settings.ollama_container_image,
        container=paths.OLLAMA_CONTAINER,
        label=LABEL,
        restart=restart,
    ).script


def _check_drop_ins(wanted: DesiredProcess, settings: HostSettings, probe: Probe, unit: Unit | None) -> Refused | None:
    """The process runs from our files but has other values: a foreign drop-in overrides them."""
    process = probe.process
    if process is None or unit is None or not wanted.has_revision(process):
        return None
    wrong = {
        name for name, value in wanted.environment.items() if not means_same(name, process.environment.get(name), value)
    }
    found = [
        each for each in _winning_settings(settings, probe) if each.name in wrong or each.name not in wanted.environment
    ]
    if not wrong or not found:
        return None
    return Refused("; ".join(map(str, found)), ("take those lines out, or declare `ollama_adopt`: True",))


def _winning_settings(settings: HostSettings, probe: Probe) -> list[ForeignSetting]:
    """Settings of foreign drop-ins that override declared ones, with every declared value masked."""
    desired = DesiredEnvironment.from_settings(settings)
    desired = replace(desired, hidden=frozenset(desired.values))
    drop_ins = [drop_in for drop_in in probe.service.drop_ins if not drop_in.ours]
    conflicts = (foreign_settings.find_conflicts(probe.service, drop_in, desired) for drop_in in drop_ins)
    return [each for found in conflicts for each in found if each.wins]


def _predict(probe: Probe, wanted: DesiredProcess) -> Probe:
    unit = Unit("loaded", "active", "running", "enabled", -1, False, (), paths.OLLAMA_UNIT, 0, "success")
    probe = probe.with_file(paths.BOOT_UNITS + paths.OLLAMA_SERVICE, File("link", target=paths.OLLAMA_UNIT))
    return probe.replace(
        process=wanted.process,
        units={**probe.units, paths.OLLAMA_SERVICE: unit},
        # the capabilities of the model stay the same
        ollama=replace(probe.ollama, version=wanted.version) if probe.knows("ollama") else Ollama(wanted.version),
    )
