"""Where a host keeps its models, and what is recorded about them."""

from __future__ import annotations

import hashlib

from fleethands import paths
from fleethands.facts import Probe
from fleethands.settings import HostSettings
from fleethands.settings.schema.models import Model
from fleethands.settings.values.names import ModelName


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
    """The record of a model that was created from a Modelfile."""
    return f"{paths.MODEL_RECORDS}/{_short_id(name)}"


def pull_marker(name: ModelName) -> str:
    """A file that exists from the begin of a pull to its orderly end."""
    return f"{paths.PULLS}/{pull_unit(name)}"


def manifest_url(model: Model) -> str:
    """The manifest in the registry. `insecure` means plain HTTP, as for Ollama (server/images.go, v0.32.15)."""
    name = model.name
    return f"http{'' if model.insecure else 's'}://{name.host}/v2/{name.namespace}/{name.model}/manifests/{name.tag}"


def repin_hint(settings: HostSettings, model: Model, digest: str) -> str:
    """How to pin another digest: with the command if the lockfile pins the model, otherwise in the inventory."""
    return settings.pins.renewal(str(model.name)) or f"pin it: digest {digest}"


def _short_id(name: ModelName) -> str:
    return hashlib.sha256(str(name).lower().encode()).hexdigest()[:12]  # Ollama ignores the case of names
