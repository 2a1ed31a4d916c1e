"""The bytes of the declared models, read in full: Ollama looks at a blob only when it comes."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.operation import operation
from fleethands.operations.models import model_store
from fleethands.operations.models.models import Modelfiles, local_digest, registry_models
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.values.names import ModelName


@operation
def verify(settings: HostSettings, probe: Probe, modelfiles: Modelfiles | None = None) -> Decision:
    """
    Read every blob of the declared models. A broken one is removed, so that `models.pull`, which follows, pulls it.

    Not part of an apply unless it is asked for: it reads every byte.
    """
    if not settings.manages_ollama:
        note = f"the models of the Ollama at {settings.ollama_address} are not this host's to read: no blob was"
        return Unchanged("no model is on this host's disk", (note,))
    downloaded = {model.name for model in registry_models(settings, modelfiles or {})}
    names = [*downloaded, *(model.name for model in modelfiles or {})]
    there = [name for name in names if local_digest(probe, name)]
    if not there:
        return Unchanged("no declared model is on the host")
    rows = "\n".join(_row(settings, probe, name, name in downloaded) for name in there)
    values = {"step": "verify", "models": rows, "models_dir": model_store.models_directory(settings, probe)}
    script = Script(model_store.join_scripts("owned", "common", "spelled", "blobs", "verify"), values)
    return Change("blobs", "not read", f"of {len(there)} models read", script, why="it was asked for")


def _row(settings: HostSettings, probe: Probe, name: ModelName, downloaded: bool) -> str:
    marker = model_store.pull_marker(name) if downloaded else ""
    return "|".join(
        (str(name), marker, model_store.build_record(name), model_store.manifest_path(settings, probe, name))
    )  # a path may hold a |
