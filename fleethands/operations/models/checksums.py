"""Reads every byte of the declared models. Ollama checks a blob only when it downloads it."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands.facts import Probe
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.models import model_store
from fleethands.operations.models.models import Modelfiles, local_digest, registry_models
from fleethands.settings import HostSettings
from fleethands.settings.values.names import ModelName


@dataclass(frozen=True)
class VerifyBlobs(HostScript, file="verify", parts=("spelled", "blobs")):
    """Reads the blobs of `models`: lines `NAME|MARKER|RECORD|MANIFEST`."""

    models: str
    models_dir: str


@operation
def verify(settings: HostSettings, probe: Probe, modelfiles: Modelfiles | None = None) -> Decision:
    """
    Read every blob of the declared models. A broken blob is removed, so that `models.pull` downloads it again.

    Not part of an apply unless `--checksums` asks for it.
    """
    if not settings.manages_ollama:
        note = f"the models of the Ollama at {settings.ollama_address} are not this host's to read: no blob was"
        return Unchanged("no model is on this host's disk", (note,))
    downloaded = {model.name for model in registry_models(settings, modelfiles or {})}
    names = [*downloaded, *(model.name for model in modelfiles or {})]
    existing = [name for name in names if local_digest(probe, name)]
    if not existing:
        return Unchanged("no declared model is on the host")
    rows = "\n".join(_row(settings, probe, name, name in downloaded) for name in existing)
    script = VerifyBlobs(rows, model_store.models_directory(settings, probe)).script
    return Change("blobs", "not read", f"of {len(existing)} models read", script, why="it was asked for")


def _row(settings: HostSettings, probe: Probe, name: ModelName, downloaded: bool) -> str:
    marker = model_store.pull_marker(name) if downloaded else ""
    manifest = model_store.manifest_path(settings, probe, name)  # the last field, because a path may contain a |
    return "|".join((str(name), marker, model_store.build_record(name), manifest))
