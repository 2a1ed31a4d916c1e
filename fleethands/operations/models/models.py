"""Pulls the declared models, by full name and digest, and removes the others if that is declared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fleethands.facts import Probe
from fleethands.operations.core.decision import Change, Decision, Place, Refused, Unchanged
from fleethands.operations.core.download_note import describe_download
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.models import model_store
from fleethands.operations.models.pull_script import pull_script
from fleethands.settings import HostSettings
from fleethands.settings.schema.models import Model
from fleethands.settings.values.modelfile import Modelfile
from fleethands.settings.values.names import ModelName

Modelfiles = Mapping[Model, Modelfile]


@dataclass(frozen=True)
class CopyModel(HostScript, file="copy"):
    """Copies a model through Ollama's API."""

    name: str
    request: str
    url: str


@dataclass(frozen=True)
class RemoveModel(HostScript, file="remove"):
    """Removes a model through Ollama's API."""

    name: str
    request: str
    url: str


@operation
def pull(
    settings: HostSettings,
    probe: Probe,
    modelfiles: Modelfiles | None = None,
    upstream: Mapping[str, str] | None = None,
) -> Decision:
    """
    Pull the listed models and the base models of Modelfiles. Another tag is another model.

    + upstream: name → digest that the registry has for the tag now; without it, existing models are not pulled again
    """
    if not settings.manages_ollama:
        return Unchanged("none is pulled to an Ollama that is elsewhere")
    wanted = registry_models(settings, modelfiles or {})
    moved = {model.name: (upstream or {}).get(str(model.name)) for model in wanted}
    refusals = (
        _check_pin(settings, model, probe, moved[model.name] or _offered_digest(model, probe)) for model in wanted
    )
    if refused := next((found for found in refusals if found), None):
        return refused
    changes = [change for model in wanted if (change := _change(settings, model, probe, moved[model.name]))]
    return changes or Unchanged(f"{', '.join(str(model.name) for model in wanted) or 'no model'}: as declared")


def registry_models(settings: HostSettings, modelfiles: Modelfiles) -> list[Model]:
    """The models that come from a registry: those listed without a Modelfile, and the base models of the others."""
    listed = [model for model in settings.models if model.modelfile is None]
    known = {model.name for model in settings.models}
    bases = {file.base: None for file in modelfiles.values() if file.base not in known}
    return [*listed, *(Model(name=base, digest=settings.pins.models.get(str(base))) for base in bases)]


def lacking_models(settings: HostSettings, probe: Probe, modelfiles: Modelfiles) -> list[Model]:
    """The models that have to come to a host. A model that the host has under another name is copied there."""
    return [
        model
        for model in registry_models(settings, modelfiles)
        if _why_pull(model, probe, local_digest(probe, model.name), model.digest)
        and (_same_model(model.digest, probe) or str(model.name)).lower() == str(model.name).lower()
    ]


def local_digest(probe: Probe, name: ModelName) -> str | None:
    """The digest of this name, ignoring case (ollama server/routes.go, getExistingName, v0.32.15)."""
    return {known.lower(): digest for known, digest in probe.models.items()}.get(str(name).lower())


def _offered_digest(model: Model, probe: Probe) -> str | None:
    """The digest in the registry, as the host read it for a missing model."""
    offer = probe.upstream.find("model", str(model.name))
    return offer.digest if offer else None


def _check_pin(settings: HostSettings, model: Model, probe: Probe, upstream: str | None) -> Refused | None:
    if (
        upstream is None
        or model.digest in (None, upstream, local_digest(probe, model.name))
        or _same_model(model.digest, probe)
    ):
        return None
    return Refused(
        f"the tag {model.name} moved: the registry has {upstream}, pinned is {model.digest}",
        (f"if the new one is wanted, {model_store.repin_hint(settings, model, upstream)}",),
    )


def _change(settings: HostSettings, model: Model, probe: Probe, upstream: str | None) -> Change | None:
    name, digest = str(model.name), local_digest(probe, model.name)
    target = model.digest or upstream
    why = _why_pull(model, probe, digest, target)
    if why is None:
        return None
    twin = _same_model(target, probe)
    if twin is not None and twin.lower() != name.lower():
        request = json.dumps({"source": twin, "destination": name})
        script = CopyModel(name, request, settings.ollama_host.local_url).script
        consequence = f"copied from {twin}, nothing is downloaded"
    else:
        script = pull_script(settings, probe, model)
        consequence = describe_download(settings, probe, "model", name, name)

    def predict(probe: Probe) -> Probe:
        left = frozenset(each for each in probe.store.unfinished if each.lower() != name.lower())
        kept = replace(probe.store, unfinished=left)
        return probe.replace(models={**probe.models, name: target or digest or "to be pulled"}, store=kept)

    before = f"digest {digest[:12]}" if digest else "missing"
    after = f"digest {target[:12]}" if target else "present"
    return Change(f"model {name}", before, after, script, predict, why=why, consequence=consequence, place=Place.LAST)


def _why_pull(model: Model, probe: Probe, digest: str | None, target: str | None) -> str | None:
    if digest is None:
        return "it is not on the host"
    if str(model.name).lower() in {each.lower() for each in probe.store.unfinished}:
        return "its pull has not come to its end"
    if target in (None, digest):
        return None
    return "the digest on the host is not the pinned one" if model.digest else "the tag moved in the registry"


def _same_model(digest: str | None, probe: Probe) -> str | None:
    """A name on the host that has this digest."""
    return next((known for known, found in probe.models.items() if found == digest), None)


@operation
def prune(settings: HostSettings, probe: Probe, modelfiles: Modelfiles | None = None) -> Decision:
    """Remove the models that are not listed, if `models_prune` is on. Otherwise other models are not touched."""
    if not settings.models_prune or not settings.manages_ollama:
        return Unchanged("models that are not listed stay")
    keep = {str(name).lower() for name in _kept_names(settings, modelfiles or {})}
    extra = [name for name in sorted(probe.models) if name.lower() not in keep]
    return [_remove(settings, name) for name in extra] or Unchanged("there is no model that is not listed")


def _kept_names(settings: HostSettings, modelfiles: Modelfiles) -> Iterator[ModelName]:
    yield from (model.name for model in settings.models)
    yield from (file.base for file in modelfiles.values())
    if settings.model is not None:
        yield settings.model


def _remove(settings: HostSettings, name: str) -> Change:
    script = RemoveModel(name, json.dumps({"model": name}), settings.ollama_host.local_url).script

    def predict(probe: Probe) -> Probe:
        return probe.replace(models={known: digest for known, digest in probe.models.items() if known != name})

    return Change(
        f"model {name}", "present", "removed", script, predict, why="it is not listed, and models_prune is on",
        consequence="its blobs go too, those of other models stay",
    )  # fmt: skip
