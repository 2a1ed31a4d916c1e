"""The bytes of the declared models, read in full: Ollama looks at a blob only when it comes."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.operations.core.operation import Change, Decision, Unchanged, operation
from fleethands.operations.models import model_store
from fleethands.operations.models.models import Modelfiles, local, pulled
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.values.names import ModelName


@operation
def verified(settings: HostSettings, probe: Probe, modelfiles: Modelfiles | None = None) -> Decision:
    """
    Read every blob of the declared models. A broken one is removed, so that `models.present`, which follows, pulls it.

    Not part of an apply unless it is asked for: it reads every byte.
    """
    if not settings.manages_ollama:
        note = f"the models of the Ollama at {settings.ollama_address} are not this host's to read: no blob was"
        return Unchanged("no model is on this host's disk", (note,))
    downloaded = {model.name for model in pulled(settings, modelfiles or {})}
    names = [*downloaded, *(model.name for model in modelfiles or {})]
    there = [name for name in names if local(probe, name)]
    if not there:
        return Unchanged("no declared model is on the host")
    rows = "\n".join(_row(settings, probe, name, name in downloaded) for name in there)
    values = {"step": "verify", "models": rows, "models_dir": model_store.directory(settings, probe)}
    script = Script(model_store.body("owned", "common", "spelled", "blobs", "verify"), values)
    return Change("blobs", "not read", f"of {len(there)} models read", script, why="it was asked for")


def _row(settings: HostSettings, probe: Probe, name: ModelName, downloaded: bool) -> str:
    marker = model_store.marker(name) if downloaded else ""
    return "|".join(
        (str(name), marker, model_store.made(name), model_store.manifest(settings, probe, name))
    )  # a path may hold a |
