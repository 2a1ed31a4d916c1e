"""Creates models on the host from Modelfiles on the controller."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from fleethands.facts import Probe
from fleethands.facts.ollama import CreatedModel
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.models import model_store
from fleethands.operations.models.models import Modelfiles, local_digest
from fleethands.settings import HostSettings
from fleethands.settings.schema.models import Model
from fleethands.settings.values.modelfile import Modelfile


@dataclass(frozen=True)
class CreateModel(HostScript, file="create", parts=("spelled",)):
    """Creates a model from a Modelfile. create.sh says what the variables mean."""

    name: str
    text: str
    address: str
    manifest: str
    base: str
    base_manifest: str
    record: str
    image: str


@operation
def build(settings: HostSettings, probe: Probe, modelfiles: Modelfiles | None = None) -> Decision:
    """
    Create each model from its Modelfile, again if the text or the base model has changed.

    + modelfiles: in the order in which they are created
    """
    changes: list[Change] = []
    for model, file in (modelfiles or {}).items():
        if change := _change(settings, model, file, probe):
            changes.append(change)
            probe = change.predict(probe)  # models that start from this one are created again too
    if changes:
        return changes
    names = [str(model.name) for model in modelfiles or {}]
    return Unchanged(f"{', '.join(names)}: as the Modelfile says" if names else "no model has a Modelfile")


def _change(settings: HostSettings, model: Model, file: Modelfile, probe: Probe) -> Change | None:
    name = str(model.name)
    base = local_digest(probe, file.base) or "unknown"
    text = hashlib.sha256(file.text.encode()).hexdigest()
    digest, made = local_digest(probe, model.name), probe.store.made.get(name)
    why = _why_build(digest, made, CreatedModel(text, base, digest or ""), file)
    if why is None:
        return None
    script = CreateModel(
        name=name,
        text=file.text,
        address=settings.ollama_host.local_url.removeprefix("http://"),
        manifest=model_store.manifest_path(settings, probe, model.name),
        base=str(file.base),
        base_manifest=model_store.manifest_path(settings, probe, file.base),
        record=model_store.build_record(model.name),
        image=settings.ollama_declared_image,
    ).script

    def predict(probe: Probe) -> Probe:
        made = {**probe.store.made, name: CreatedModel(text, base, f"of {text} and {base}")}
        kept = replace(probe.store, made=made)
        return probe.replace(models={**probe.models, name: f"of {text} and {base}"}, store=kept)

    before = f"digest {digest[:12]}" if digest else "missing"
    return Change(f"model {name}", before, f"made from {file.base}", script, predict, why=why)


def _why_build(digest: str | None, made: CreatedModel | None, wanted: CreatedModel, file: Modelfile) -> str | None:
    if digest is None:
        return "it is not on the host"
    if made is None:
        return "it was not made here"
    if made.digest != digest:
        return "it was changed since it was made"
    if made.text != wanted.text:
        return "its Modelfile changed"
    return f"{file.base} is another one now" if made.base != wanted.base else None
