"""Where a host keeps its models, and the scripts that bring them there."""

from __future__ import annotations

import hashlib
import json

from fleethands import paths
from fleethands.facts import Probe
from fleethands.operations.core import scripts
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.schema.models import Model
from fleethands.settings.schema.ollama_env import PROXY_VARIABLES
from fleethands.settings.values.names import ModelName

STALL_TIMEOUT = (
    60  # seconds without a new byte; Ollama's own parts are started over after 30 (server/download.go, v0.32.15)
)
MAX_FAILURES = 6  # in a row without a new byte
MARGIN = 256 << 20  # bytes that are to stay free, or a pull does not begin
FLOOR = 64 << 20  # bytes; a pull stops where fewer are free


def models_directory(settings: HostSettings, probe: Probe) -> str:
    """The directory of manifests and blobs."""
    return settings.models_dir(probe.home)


def manifest_path(settings: HostSettings, probe: Probe, name: ModelName) -> str:
    """The file whose sha256 is the model's digest (ollama manifest/manifest.go, v0.32.15)."""
    return f"{models_directory(settings, probe)}/manifests/{name.host}/{name.namespace}/{name.model}/{name.tag}"


def pull_unit(name: ModelName) -> str:
    """The transient unit that pulls this model."""
    return f"fleethands-pull-{_short_id(name)}"


def build_record(name: ModelName) -> str:
    """The record of a model that was made from a Modelfile."""
    return f"{paths.MODEL_RECORDS}/{_short_id(name)}"


def pull_marker(name: ModelName) -> str:
    """There from a pull's begin to its orderly end."""
    return f"{paths.PULLS}/{pull_unit(name)}"


def manifest_url(model: Model) -> str:
    """Where the registry has it. `insecure` is plain HTTP, as Ollama takes it (server/images.go, v0.32.15)."""
    name = model.name
    return f"http{'' if model.insecure else 's'}://{name.host}/v2/{name.namespace}/{name.model}/manifests/{name.tag}"


def repin_hint(settings: HostSettings, model: Model, digest: str) -> str:
    """How a model is pinned anew: by the command where a lock pins it, else by hand."""
    return settings.pins.renewal(str(model.name)) or f"pin it: digest {digest}"


def pull_script(settings: HostSettings, probe: Probe, model: Model) -> Script:
    """Pull a model, or wait for the unit that does."""
    name = model.name
    common = {
        "name": str(name),
        "place": f"/run/fleethands/{pull_unit(name)}",
        "marker": pull_marker(name),
        "manifest": manifest_path(settings, probe, name),
        "digest": model.digest or "",
    }
    environment = settings.ollama_environment
    puller = Script(
        join_scripts("web", "owned", "blobs", "spelled", "puller"),
        {
            **common,
            "models_dir": models_directory(settings, probe),
            "request": json.dumps({"model": str(name), "insecure": model.insecure}),
            "url": settings.ollama_host.local_url,
            "container": paths.OLLAMA_CONTAINER,
            "manifest_url": manifest_url(model),
            "renewal": repin_hint(settings, model, ""),
            "patience": str(STALL_TIMEOUT),
            "tries": str(MAX_FAILURES),
            "margin": str(MARGIN),
            "floor": str(FLOOR),
        },
        {key: environment[key] for key in PROXY_VARIABLES if key in environment},
    )
    return model_script("pull", **common, unit=pull_unit(name), puller=puller.text)


def model_script(name: str, /, **values: str) -> Script:
    """The script `NAME.sh` behind the common parts and what it needs to find a model's manifest."""
    return Script(join_scripts("owned", "common", "spelled", name), {"step": name, **values})


def join_scripts(*names: str) -> str:
    """The text of these scripts, one after the other."""
    return "".join(scripts.read(name) for name in names)


def _short_id(name: ModelName) -> str:
    return hashlib.sha256(str(name).lower().encode()).hexdigest()[:12]  # to Ollama its case does not count
