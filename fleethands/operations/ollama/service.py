"""Ollama's service, or the container that it runs, on the files that are there now."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.ollama import Ollama, Process
from fleethands.facts.units import Unit
from fleethands.operations.core.decision import Change, Decision, Refused, Unchanged
from fleethands.operations.core.host_script import step
from fleethands.operations.core.operation import operation
from fleethands.operations.ollama import existing_install
from fleethands.operations.ollama.existing_install import DesiredEnvironment
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.values.envconfig import means_same

READY_WITHIN = 90  # seconds: discovery of GPUs may take 30 for each library (ollama discover/runner.go, v0.32.15)
LISTENS_WITHIN = 20  # seconds: its socket is open before it looks for anything
REVISION = "FLEETHANDS_REVISION"
LABEL = "fleethands.run=ollama"  # of our container


@dataclass(frozen=True)
class DesiredProcess:
    """
    What the running Ollama must carry: the revision of its files, its release and its variables.

    + image: name of the image of its container, and id of what that name means on the host; empty for a service
    """

    revision: str
    version: str
    environment: dict[str, str]
    image: str = ""
    id: str = ""

    @classmethod
    def by(cls, settings: HostSettings, probe: Probe, revision: str) -> DesiredProcess:
        image = settings.ollama_declared_image
        found = probe.docker.ollama_image if image else None
        return cls(revision, settings.ollama_version, settings.ollama_environment, image, found.id if found else "")

    def missing_in(self, process: Process | None) -> str | None:
        """The first thing that the process lacks, in words; None when it lacks nothing."""
        if process is None:
            return "it does not run"
        if wrong := self._in_container(process) if self.image else self._as_service(process):
            return wrong
        for name, value in self.environment.items():
            if not means_same(name, process.environment.get(name), value):
                return f"its {name} is not as declared"
        if process.environment.get(REVISION) != self.revision:
            return "it runs on older files"
        return None

    def _as_service(self, process: Process) -> str | None:
        if process.image:
            return "it runs in a container"
        return None if process.exe == self._exe else f"it runs {process.exe}"

    def _in_container(self, process: Process) -> str | None:
        if not process.image:
            if process.exe.startswith(paths.RELEASES + "/"):
                return "it runs as a service"
            return "its container does not run" if process.exe.endswith("/docker") else f"it runs {process.exe}"
        return None if process.image == self.id else f"it runs from another image than {self.image}"

    @property
    def _exe(self) -> str:
        return f"{paths.RELEASES}/{self.version}/bin/ollama"

    @property
    def process(self) -> Process:
        """The process that has all of it."""
        exe = "" if self.image else self._exe
        return Process(-1, -1, exe, {**self.environment, REVISION: self.revision}, self.id, -1 if self.image else 0)


@operation
def serve(settings: HostSettings, probe: Probe, revision: str) -> Decision:
    """
    Have Ollama run, now and at boot, on this revision of its files. What counts is the running process.

    One that does not answer in time gives way to what served before it, and this host fails.

    + revision: digest that the override puts into the process's environment
    """
    wanted = DesiredProcess.by(settings, probe, revision)
    unit = probe.units.get(paths.OLLAMA_SERVICE)
    lacking = wanted.missing_in(probe.process)
    restart = lacking is not None
    if lacking is None and probe.ollama.version != settings.ollama_version:
        lacking, restart = "it does not answer with its version", True
    elif lacking is None and unit is not None:
        lacking = _unit_difference(unit)
    if lacking is None:
        return Unchanged(f"{_describe(settings, revision)}, is served")
    if stranger := _conflicting_drop_in(wanted, DesiredEnvironment.by(settings), probe, unit):
        return stranger
    return Change(
        "ollama.service",
        lacking + _unit_state(unit),
        _describe(settings, revision) if restart else "settled",
        _script(settings, restart),
        lambda probe: _predict(probe, wanted),
        consequence="" if not restart or probe.process is None else "restarts Ollama: answers under way are cut off",
    )


def _describe(settings: HostSettings, revision: str) -> str:
    """What is served; by the digest that a revision is, one could try out what a secret is."""
    source = f" by {settings.ollama_declared_image}" if settings.ollama_declared_image else ""
    return f"Ollama {settings.ollama_version}{source}" + ("" if settings.ollama_secrets else f", revision {revision}")


def _unit_difference(unit: Unit) -> str | None:
    """What is left to do where the right process runs: nothing that asks for a restart."""
    if unit.enabled != "enabled":
        return "it does not start at boot"
    return "systemd has not read its files" if unit.need_reload else None


def _unit_state(unit: Unit | None) -> str:
    """What systemd says of a unit that does not run as it should."""
    if unit is None or unit.active in {"active", "inactive"}:
        return ""
    looping = f", restarted {unit.restarts} times" if unit.restarts else ""
    return f" ({unit.load if unit.load == 'masked' else unit.active}: {unit.result}{looping})"


def _script(settings: HostSettings, restart: bool) -> Script:
    return step(
        "serve",
        version=settings.ollama_version,
        url=settings.ollama_host.local_url,
        limit=str(READY_WITHIN),
        limit_listen=str(LISTENS_WITHIN),
        unit=paths.OLLAMA_UNIT,
        override=paths.OLLAMA_OVERRIDE,
        secrets=paths.OLLAMA_SECRETS,
        image=settings.ollama_declared_image,
        pinned=settings.ollama_container_image,
        container=paths.OLLAMA_CONTAINER,
        label=LABEL,
        restart="yes" if restart else "no",
    )


def _conflicting_drop_in(
    wanted: DesiredProcess, declared: DesiredEnvironment, probe: Probe, unit: Unit | None
) -> Refused | None:
    """A process on our files with other values: a file of somebody else's has the last word."""
    process = probe.process
    if process is None or unit is None or process.environment.get(REVISION) != wanted.revision:
        return None
    wrong = {
        name for name, value in wanted.environment.items() if not means_same(name, process.environment.get(name), value)
    }
    declared = replace(declared, hidden=frozenset(declared.values))
    theirs = [
        each
        for text in probe.service.drop_ins
        if not text.ours
        for each in existing_install.find_conflicts(probe.service, text, declared)
        if each.wins and (each.name in wrong or each.name not in wanted.environment)
    ]
    if not wrong or not theirs:
        return None
    return Refused("; ".join(map(str, theirs)), ("take those lines out, or declare `ollama_adopt`: True",))


def _predict(probe: Probe, wanted: DesiredProcess) -> Probe:
    unit = Unit("loaded", "active", "running", "enabled", -1, False, (), paths.OLLAMA_UNIT, 0, "success")
    probe = probe.with_file(paths.WANTED + paths.OLLAMA_SERVICE, File("link", target=paths.OLLAMA_UNIT))
    return probe.having(
        process=wanted.process,
        units={**probe.units, paths.OLLAMA_SERVICE: unit},
        # what it says of the model does not change with it
        ollama=replace(probe.ollama, version=wanted.version) if probe.knows("ollama") else Ollama(wanted.version),
    )
