"""Models that are loaded without a request: now, and at each start of Ollama."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.operations.core import scripts
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.models import model_store
from fleethands.operations.models.models import local_digest
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.values.names import ModelName

FILES = (paths.PRELOAD, paths.PRELOAD_UNIT, paths.PRELOAD_ENABLED)
FOR_EVER = -1


@dataclass(frozen=True)
class InstallPreload(HostScript, file="preload"):
    """Installs the unit and its script, and starts it."""

    loader: str
    script_path: str
    unit: str
    unit_path: str


@dataclass(frozen=True)
class RemovePreload(HostScript, file="preload_off"):
    """Removes the unit, its script, its symlink (`wanted`) and the record of what it loaded."""

    script_path: str
    unit_path: str
    wanted: str
    record: str


@operation
def load(settings: HostSettings, probe: Probe, unit: str) -> Decision:
    """
    Load the models with `preload`, once for each process of Ollama. They may be unloaded later: `ollama_keep_alive`
    ends, or another model needs the memory.

    + unit: text of the unit that loads them at each start of Ollama
    """
    if not settings.manages_ollama:
        return Unchanged("no model is loaded by an Ollama that is elsewhere before it is asked for")
    names = [model.name for model in settings.models if model.preload]
    if not names:
        return _remove(probe)
    text = _loader_text(settings, probe, names)
    why = _why_load(settings, probe, names, {paths.PRELOAD: text, paths.PRELOAD_UNIT: unit})
    shown = ", ".join(str(name) for name in names)
    if why is None:
        return Unchanged(f"{shown}: loaded since Ollama started")

    def predict(probe: Probe) -> Probe:
        for path, content in ((paths.PRELOAD, text), (paths.PRELOAD_UNIT, unit)):
            probe = probe.with_file(path, File("file", owner="root:root", content=content.encode()))
        probe = probe.with_file(paths.PRELOAD_ENABLED, File("link", target=paths.PRELOAD_UNIT))
        digests = {str(name): local_digest(probe, name) or "" for name in names}
        return probe.replace(store=replace(probe.store, loaded=digests, process=_process(probe)))

    script = InstallPreload(text, paths.PRELOAD, unit, paths.PRELOAD_UNIT).script
    return Change("preload", why, f"{shown} loaded", script, predict, why=why, consequence="takes the models' memory")


@operation
def remove(settings: HostSettings, probe: Probe) -> Decision:
    """Preload no model, whatever is declared."""
    return _remove(probe)


def _why_load(settings: HostSettings, probe: Probe, names: list[ModelName], contents: dict[str, str]) -> str | None:
    if any(probe.files[path].content != text.encode() for path, text in contents.items()):
        return "not loaded at Ollama's start, or not these"
    if probe.files[paths.PRELOAD_ENABLED].kind != "link":
        return "not loaded at Ollama's start"
    if probe.store.process != _process(probe):
        return "this Ollama was not asked to load them"
    if any(probe.store.loaded.get(str(name)) != local_digest(probe, name) for name in names):
        return "loaded from what the model was before"
    return None


def _process(probe: Probe) -> tuple[int, int] | None:
    return (probe.process.pid, probe.process.started) if probe.process else None


def _loader_text(settings: HostSettings, probe: Probe, names: list[ModelName]) -> str:
    rows = "\n".join(
        f"{name}|{_request(settings, name)}|{model_store.manifest_path(settings, probe, name)}" for name in names
    )
    values = {"models": rows, "url": settings.ollama_host.local_url, "record": paths.PRELOADED}
    return Script(scripts.join("owned", "spelled", "preloader"), values).text


def _request(settings: HostSettings, name: ModelName) -> str:
    declared = settings.ollama_keep_alive
    keep: Any = FOR_EVER if declared is None else declared
    if isinstance(keep, str) and keep.lstrip("-").isdigit():
        keep = int(keep)  # a string must have a unit
    return json.dumps({"model": str(name), "keep_alive": keep})


def _remove(probe: Probe) -> Decision:
    if all(probe.files[path].kind == "absent" for path in FILES):
        return Unchanged("no model is to be loaded before it is asked for")

    def predict(probe: Probe) -> Probe:
        for path in FILES:
            probe = probe.with_file(path, ABSENT)
        return probe

    script = RemovePreload(paths.PRELOAD, paths.PRELOAD_UNIT, paths.PRELOAD_ENABLED, paths.PRELOADED).script
    return Change("preload", "at Ollama's start", "none", script, predict, why="no model is declared with preload")
