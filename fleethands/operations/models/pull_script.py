"""The script that pulls a model, and the one of the unit in which it does."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.operations.artifacts.fetchers import FLOOR, MAX_FAILURES, STALL_TIMEOUT, model_fetcher
from fleethands.operations.core import scripts
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.models import model_store
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.schema.models import Model
from fleethands.settings.schema.ollama_env import PROXY_VARIABLES

MARGIN = 256 << 20  # bytes that must stay free, or a pull does not begin


@dataclass(frozen=True)
class PullModel(HostScript, file="pull", parts=("spelled", "join_unit")):
    """Starts the unit that pulls a model, or waits for it. pull.sh says what the variables mean."""

    name: str
    place: str
    marker: str
    manifest: str
    digest: str | None
    unit: str
    puller: str


def pull_script(settings: HostSettings, probe: Probe, model: Model) -> Script:
    """Pull a model, or wait for the unit that does."""
    pull = PullModel(
        name=str(model.name),
        place=f"/run/fleethands/{model_store.pull_unit(model.name)}",
        marker=model_store.pull_marker(model.name),
        manifest=model_store.manifest_path(settings, probe, model.name),
        digest=model.digest,
        unit=model_store.pull_unit(model.name),
        puller="",
    )
    make = _fetcher if settings.fetches_parts else _puller
    return replace(pull, puller=make(settings, probe, model, pull)).script


def _fetcher(settings: HostSettings, probe: Probe, model: Model, pull: PullModel) -> str:
    """The text of the unit's script on a host that fetches the parts of a model itself."""
    values = {
        "name": pull.name,
        "what": f"model {pull.name}",
        "place": pull.place,
        "marker": pull.marker,
        "manifest": pull.manifest,
        "digest": pull.digest or "",
        "models_dir": model_store.models_directory(settings, probe),
        "manifest_url": model_store.manifest_url(model),
        "renewal": model_store.repin_hint(settings, model, ""),
    }
    return model_fetcher(settings, values)


def _puller(settings: HostSettings, probe: Probe, model: Model, pull: PullModel) -> str:
    """The text of the unit's script on a host whose Ollama pulls the model."""
    environment = settings.ollama_environment
    script = Script(
        scripts.join("web", "owned", "blobs", "spelled", "small_blobs", "puller"),
        {
            "name": pull.name,
            "place": pull.place,
            "marker": pull.marker,
            "manifest": pull.manifest,
            "digest": pull.digest or "",
            "models_dir": model_store.models_directory(settings, probe),
            "request": json.dumps({"model": pull.name, "insecure": model.insecure}),
            "url": settings.ollama_host.local_url,
            "container": paths.OLLAMA_CONTAINER,
            "manifest_url": model_store.manifest_url(model),
            "renewal": model_store.repin_hint(settings, model, ""),
            "patience": str(STALL_TIMEOUT),
            "tries": str(MAX_FAILURES),
            "margin": str(MARGIN),
            "floor": str(FLOOR),
        },
        {key: environment[key] for key in PROXY_VARIABLES if key in environment},
    )
    return script.text
