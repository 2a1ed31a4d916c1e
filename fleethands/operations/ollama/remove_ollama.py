"""Removes the Ollama that fleethands installed, and no other."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.core.ownership import is_written_by_fleethands
from fleethands.operations.ollama.service import LABEL
from fleethands.settings import HostSettings


@dataclass(frozen=True)
class RemoveOllama(HostScript, file="remove_ollama"):
    """Removes these files, one a line, and a managed unit with its container."""

    files: str
    unit: bool
    container: str
    label: str


@operation
def remove(settings: HostSettings, probe: Probe) -> Decision:
    """Remove our Ollama: its service, its container and its releases. Models stay."""
    links = {
        path: probe.files[path].kind == "link"
        for path in (paths.CURRENT, paths.BINARY)
        if probe.files[path].target.startswith((paths.CURRENT, *probe.releases))
    }
    texts = [
        path
        for path in (paths.OLLAMA_UNIT, paths.OLLAMA_OVERRIDE, paths.OLLAMA_SECRETS)
        if is_written_by_fleethands(probe, path)
    ]
    if not probe.releases and not links and not texts:
        return Unchanged("there is no managed Ollama")
    files = [*texts, *links]
    script = RemoveOllama(
        files="\n".join(files),
        unit=paths.OLLAMA_UNIT in texts,
        container=paths.OLLAMA_CONTAINER,
        label=LABEL,
    ).script

    def predict(probe: Probe) -> Probe:
        for path in (*files, paths.BOOT_UNITS + paths.OLLAMA_SERVICE):
            probe = probe.with_file(path, ABSENT)
        return probe.replace(releases={}, process=None)

    what = ", ".join(sorted(probe.releases)) or "files"
    return Change("Ollama", what, "gone", script, predict, consequence="Ollama stops answering; its models stay")
