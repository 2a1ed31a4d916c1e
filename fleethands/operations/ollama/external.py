"""An external Ollama: it must answer at its declared address, and have the declared models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.external_ollama import VersionRequest
from fleethands.facts.probe import Unknown
from fleethands.operations.core.decision import Change, Decision, Refused, Unchanged
from fleethands.operations.core.operation import operation
from fleethands.operations.core.ownership import is_written_by_fleethands
from fleethands.operations.core.proof_record import is_proven
from fleethands.operations.models import model_store, preload
from fleethands.operations.models.models import local_digest
from fleethands.operations.ollama import external_commands, external_diagnosis, remove_ollama
from fleethands.settings import HostSettings
from fleethands.settings.schema.models import Model

# settings of Ollama and of its models without effect on an external one
UNUSED_SETTINGS = (
    "ollama_version", "ollama_url", "ollama_transfer", "ollama_sha256", "ollama_variant", "ollama_host",
    "ollama_origins", "ollama_context_length", "ollama_keep_alive", "ollama_models_dir", "ollama_env",
    "ollama_adopt", "models_prune",
)  # fmt: skip
UNUSED_MODEL_KEYS = ("insecure", "preload")


def check_external(settings: HostSettings, probe: Probe) -> Refused | None:
    """Why the external Ollama cannot be used; None if there is none, or if the host has no curl to ask it yet."""
    if settings.manages_ollama or lacks_curl(probe):
        return None
    return _check_answers(settings, probe) or _check_not_our_own(settings, probe) or _check_models(settings, probe)


def lacks_curl(probe: Probe) -> bool:
    """Whether a new host has no curl yet, so that it could not ask the external Ollama."""
    found = probe.sections["ollama"]
    return isinstance(found, Unknown) and found.lacks == "curl"


def unused_settings_notes(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """Settings without effect on this host. They may come from a group that other hosts are in."""
    if settings.manages_ollama:
        return ()
    declared = settings.model_fields_set
    unused = [key for key in UNUSED_SETTINGS if key in declared and getattr(settings, key)]
    unused += ["gpu"] if settings.gpu else []
    unused += [
        f"`{key}` of a model" for key in UNUSED_MODEL_KEYS if any(getattr(each, key) for each in settings.models)
    ]
    named = ", ".join(each if " " in each else f"`{each}`" for each in unused)
    why = f"`ollama_runtime` is `external`: nothing of the Ollama at {settings.ollama_address} is managed"
    return (f"without effect here: {named}; {why}",) if unused else ()


@operation
def use(settings: HostSettings, probe: Probe) -> Decision:
    """Check that the external Ollama answers and has every declared model. Nothing is changed there."""
    if lacks_curl(probe):
        return Unchanged("the Ollama that is elsewhere is asked once this host has curl")
    if against := check_external(settings, probe):
        return against
    names = ", ".join(dict.fromkeys(str(model.name) for model in _required_models(settings)))
    return Unchanged(
        f"Ollama {probe.ollama.version} answers at {settings.ollama_address}, with {names or 'no model asked'}"
    )


@operation
def remove_managed(settings: HostSettings, probe: Probe) -> Decision:
    """Remove the managed Ollama once the external one is proven. Models, account and home stay."""
    managed = [preload.remove.decide(settings, probe), remove_ollama.remove.decide(settings, probe)]
    changes = [_after_proof(each) for each in managed if isinstance(each, Change)]
    if not changes:
        return Unchanged("there is no managed Ollama")
    if not is_proven(settings, probe):
        return Unchanged("our Ollama stays until the one that is elsewhere is proven")
    return changes


def _after_proof(change: Change) -> Change:
    why = "OpenHands and the proof use the one that is elsewhere"
    return replace(change, why=why, keeps_proof=True)


def _required_models(settings: HostSettings) -> Iterator[Model]:
    yield from settings.models
    if settings.openhands_model is not None and settings.openhands_model not in {each.name for each in settings.models}:
        yield Model(name=settings.openhands_model, digest=settings.pins.models.get(str(settings.openhands_model)))


def _check_answers(settings: HostSettings, probe: Probe) -> Refused | None:
    """Nothing answers at the address, or not as Ollama."""
    if probe.ollama.version is not None:
        return None
    url, way = str(settings.ollama_address), probe.ollama.way or VersionRequest()
    why, *hints = external_diagnosis.explain_no_answer(url, way)
    return Refused(
        f"Ollama at {url}: {why}", (*hints, f"try it on the host: {external_commands.api_command(url, 'version')}")
    )


def _check_not_our_own(settings: HostSettings, probe: Probe) -> Refused | None:
    """The address is this host's own, and our ollama.service, which would be removed, answers there."""
    way, (_, port) = probe.ollama.way or VersionRequest(), settings.ollama_server
    pids = {each.pid for each in probe.sockets if each.port == port}
    unit = is_written_by_fleethands(probe, paths.OLLAMA_UNIT)
    process = probe.process
    if not (way.is_here and unit and process and {process.pid, process.inside} & pids):
        return None
    run = "container" if process.image else "service"
    return Refused(
        f"{settings.ollama_address} is this host's own ollama.service, which fleethands put here",
        (f'to keep it, declare "ollama_runtime": "{run}", and no `ollama_address`',),
    )


def _check_models(settings: HostSettings, probe: Probe) -> Refused | None:
    """Missing models, or other digests than the pinned ones. No model is pulled to a foreign disk."""
    url, found = (
        str(settings.ollama_address),
        {model.name: local_digest(probe, model.name) for model in _required_models(settings)},
    )
    missing = [str(name) for name, digest in found.items() if digest is None]
    if missing:
        pulls = (external_commands.pull_hint(url, name) for name in missing)
        return Refused(f"Ollama at {url} has no model {', '.join(missing)}, and none is pulled there", tuple(pulls))
    others = ((model, found[model.name] or "") for model in _required_models(settings) if model.digest)
    return next((_wrong_digest(settings, model, digest) for model, digest in others if digest != model.digest), None)


def _wrong_digest(settings: HostSettings, model: Model, digest: str) -> Refused:
    url = str(settings.ollama_address)
    has = f"has digest {digest[:12]}" if digest else "has no digest that its server says"
    hints = [f"if its registry has the pinned one, {external_commands.pull_hint(url, str(model.name))}"]
    hints += [f"if that one is wanted, {model_store.repin_hint(settings, model, digest)}"] if digest else []
    return Refused(f"{model.name} at {url} {has}, pinned is {str(model.digest)[:12]}", tuple(hints))


def external_hints(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """How to declare a foreign Ollama as external, if one answers at our address."""
    if not settings.manages_ollama or not probe.knows("ollama") or probe.ollama.version is None:
        return ()
    url = settings.ollama_host.local_url
    bound = [each.address for each in probe.sockets if each.port == settings.ollama_host.port]
    alone = settings.container_image and bound and all(_is_loopback(address) for address in bound)
    but = "; containers reach it once it listens on more than loopback (its OLLAMA_HOST)" if alone else ""
    return (f'to use it as it is, declare "ollama_runtime": "external", "ollama_address": "{url}"{but}',)


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
