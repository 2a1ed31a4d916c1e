"""Removes the Ollama that fleethands installed, and no other."""

from __future__ import annotations

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import step
from fleethands.operations.core.operation import operation
from fleethands.operations.core.ownership import is_written_by_fleethands
from fleethands.operations.ollama.service import LABEL
from fleethands.settings import HostSettings


@operation
def remove(settings: HostSettings, probe: Probe) -> Decision:
    """Have no Ollama of ours: neither its service nor its releases. Its models stay where they are."""
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
        return Unchanged("there is no Ollama of ours")
    files = [*texts, *links]
    script = step(
        "remove_ollama",
        files="\n".join(files),
        unit="yes" if paths.OLLAMA_UNIT in texts else "no",
        container=paths.OLLAMA_CONTAINER,
        label=LABEL,
    )

    def predict(probe: Probe) -> Probe:
        for path in (*files, paths.BOOT_UNITS + paths.OLLAMA_SERVICE):
            probe = probe.with_file(path, ABSENT)
        return probe.having(releases={}, process=None)

    what = ", ".join(sorted(probe.releases)) or "files"
    return Change("Ollama", what, "gone", script, predict, consequence="Ollama stops answering; its models stay")
