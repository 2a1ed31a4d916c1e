"""Ollama's service, running on the files that are there now."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.ollama import Ollama, Process
from fleethands.facts.units import Unit
from fleethands.operations import foreign
from fleethands.operations.change import Change, Decision, Refused, Same, operation, step
from fleethands.operations.foreign import Declared
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.envconfig import same

READY_WITHIN = 90  # seconds: discovery of GPUs may take 30 for each library (ollama discover/runner.go, v0.32.15)
LISTENS_WITHIN = 20  # seconds: its socket is open before it looks for anything
REVISION = "FLEETHANDS_REVISION"


@dataclass(frozen=True)
class Served:
    """What the running Ollama must carry: the revision of its files, its release and its variables."""

    revision: str
    version: str
    environment: dict[str, str]

    def missing_in(self, process: Process | None) -> str | None:
        """The first thing that the process lacks, in words; None when it lacks nothing."""
        if process is None:
            return "it does not run"
        if process.exe != f"{paths.RELEASES}/{self.version}/bin/ollama":
            return f"it runs {process.exe}"
        for name, value in self.environment.items():
            if not same(name, process.environment.get(name), value):
                return f"its {name} is not as declared"
        if process.environment.get(REVISION) != self.revision:
            return "it runs on older files"
        return None


@operation
def serve(settings: HostSettings, seen: Probe, revision: str) -> Decision:
    """
    Have Ollama run, now and at boot, on this revision of its files. What counts is the running process.

    One that does not answer in time gives way to what served before it, and this host fails.

    + revision: digest that the override puts into the process's environment
    """
    wanted = Served(revision, settings.ollama_version, settings.ollama_environment)
    unit = seen.units.get(paths.OLLAMA_SERVICE)
    lacking = wanted.missing_in(seen.process)
    restart = lacking is not None
    if lacking is None and seen.ollama.version != settings.ollama_version:
        lacking, restart = "it does not answer with its version", True
    elif lacking is None and unit is not None:
        lacking = _unsettled(unit)
    if lacking is None:
        return Same(f"{_named(settings, revision)}, is served")
    if stranger := _overruled(wanted, Declared.by(settings), seen, unit):
        return stranger
    return Change(
        "ollama.service",
        lacking + _state(unit),
        _named(settings, revision) if restart else "settled",
        _serve_script(settings, restart),
        lambda probe: _serving(probe, wanted),
        consequence="" if not restart or seen.process is None else "restarts Ollama: answers under way are cut off",
    )


def _named(settings: HostSettings, revision: str) -> str:
    """What is served; by the digest that a revision is, one could try out what a secret is."""
    return f"Ollama {settings.ollama_version}" + ("" if settings.ollama_secrets else f", revision {revision}")


def _unsettled(unit: Unit) -> str | None:
    """What is left to do where the right process runs: nothing that asks for a restart."""
    if unit.enabled != "enabled":
        return "it does not start at boot"
    return "systemd has not read its files" if unit.need_reload else None


def _state(unit: Unit | None) -> str:
    """What systemd says of a unit that does not run as it should."""
    if unit is None or unit.active in {"active", "inactive"}:
        return ""
    looping = f", restarted {unit.restarts} times" if unit.restarts else ""
    return f" ({unit.load if unit.load == 'masked' else unit.active}: {unit.result}{looping})"


def _serve_script(settings: HostSettings, restart: bool) -> Script:
    return step(
        "serve",
        version=settings.ollama_version,
        url=settings.ollama_host.local_url,
        limit=str(READY_WITHIN),
        limit_listen=str(LISTENS_WITHIN),
        unit=paths.OLLAMA_UNIT,
        override=paths.OLLAMA_OVERRIDE,
        secrets=paths.OLLAMA_SECRETS,
        restart="yes" if restart else "no",
    )


def _overruled(wanted: Served, declared: Declared, seen: Probe, unit: Unit | None) -> Refused | None:
    """A process on our files with other values: a file of somebody else's has the last word."""
    process = seen.process
    if process is None or unit is None or process.environment.get(REVISION) != wanted.revision:
        return None
    wrong = {name for name, value in wanted.environment.items() if not same(name, process.environment.get(name), value)}
    declared = replace(declared, hidden=frozenset(declared.values))
    theirs = [
        each
        for text in seen.service.drop_ins
        if not text.ours
        for each in foreign.of_drop_in(seen.service, text, declared)
        if each.wins and (each.name in wrong or each.name not in wanted.environment)
    ]
    if not wrong or not theirs:
        return None
    return Refused("; ".join(map(str, theirs)), ("take those lines out, or declare `ollama_adopt`: True",))


def _serving(probe: Probe, wanted: Served) -> Probe:
    exe = f"{paths.RELEASES}/{wanted.version}/bin/ollama"
    unit = Unit("loaded", "active", "running", "enabled", -1, False, (), paths.OLLAMA_UNIT, 0, "success")
    probe = probe.with_file(paths.WANTED + paths.OLLAMA_SERVICE, File("link", target=paths.OLLAMA_UNIT))
    return probe.having(
        process=Process(-1, -1, exe, {**wanted.environment, REVISION: wanted.revision}),
        units={**probe.units, paths.OLLAMA_SERVICE: unit},
        # what it says of the model does not change with it
        ollama=replace(probe.ollama, version=wanted.version) if probe.knows("ollama") else Ollama(wanted.version),
    )
