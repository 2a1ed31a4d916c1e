"""An Ollama that somebody else runs, at a declared address: it answers, and has the models that are declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.external_ollama import VersionRequest
from fleethands.facts.probe import Unknown
from fleethands.operations.core.operation import Change, Decision, Refused, Same, operation
from fleethands.operations.models import model_store, preload
from fleethands.operations.models.models import local
from fleethands.operations.ollama import external_commands, external_diagnosis
from fleethands.operations.proof.proof import is_settled
from fleethands.operations.removal import removal
from fleethands.settings import HostSettings
from fleethands.settings.host import Model

# of Ollama and of its models, which somebody else sees to
UNUSED = (
    "ollama_version", "ollama_url", "ollama_transfer", "ollama_sha256", "ollama_variant", "ollama_host",
    "ollama_origins", "ollama_context_length", "ollama_keep_alive", "ollama_models_dir", "ollama_env",
    "ollama_adopt", "models_prune",
)  # fmt: skip
OF_MODELS = ("insecure", "preload")


def refused(settings: HostSettings, seen: Probe) -> Refused | None:
    """Why the Ollama at the declared address will not do; None where none is declared, and while curl is missing."""
    if settings.manages_ollama or lacks_curl(seen):
        return None
    return _silent(settings, seen) or _ours(settings, seen) or _lacking(settings, seen)


def lacks_curl(seen: Probe) -> bool:
    """Whether a new host could not ask yet."""
    found = seen.sections["ollama"]
    return isinstance(found, Unknown) and found.lacks == "curl"


def notes(settings: HostSettings, seen: Probe) -> tuple[str, ...]:
    """What is declared and does nothing here: data of a group is shared with hosts that have an Ollama of their own."""
    if settings.manages_ollama:
        return ()
    declared = settings.model_fields_set
    unused = [key for key in UNUSED if key in declared and getattr(settings, key)]
    unused += ["gpu"] if settings.gpu else []
    unused += [f"`{key}` of a model" for key in OF_MODELS if any(getattr(each, key) for each in settings.models)]
    named = ", ".join(each if " " in each else f"`{each}`" for each in unused)
    why = f"`ollama_run` is `external`: nothing of the Ollama at {settings.ollama_base_url} is managed"
    return (f"without effect here: {named}; {why}",) if unused else ()


@operation
def used(settings: HostSettings, seen: Probe) -> Decision:
    """Have an Ollama at the declared address, with every declared model. Nothing is changed there."""
    if lacks_curl(seen):
        return Same("the Ollama that is elsewhere is asked once this host has curl")
    if against := refused(settings, seen):
        return against
    names = ", ".join(dict.fromkeys(str(model.name) for model in _wanted(settings)))
    return Same(f"Ollama {seen.ollama.version} answers at {settings.ollama_base_url}, with {names or 'no model asked'}")


@operation
def settled(settings: HostSettings, seen: Probe) -> Decision:
    """Have no Ollama of ours beside one that is elsewhere, once that one is proven. Models, account and home stay."""
    ours = [preload.gone.decide(settings, seen), removal.ollama.decide(settings, seen)]
    changes = [_kept_proven(each) for each in ours if isinstance(each, Change)]
    if not changes:
        return Same("there is no Ollama of ours beside it")
    if not is_settled(settings, seen):
        return Same("our Ollama stays until the one that is elsewhere is proven")
    return changes


def _kept_proven(change: Change) -> Change:
    why = "OpenHands and the proof use the one that is elsewhere"
    return replace(change, script=change.script.having(step="ollama_settle"), why=why, keeps_proof=True)


def _wanted(settings: HostSettings) -> Iterator[Model]:
    yield from settings.models
    if settings.openhands_model is not None and settings.openhands_model not in {each.name for each in settings.models}:
        yield Model(name=settings.openhands_model, digest=settings.pins.models.get(str(settings.openhands_model)))


def _silent(settings: HostSettings, seen: Probe) -> Refused | None:
    """Nothing answers there, or something that is not Ollama."""
    if seen.ollama.version is not None:
        return None
    url, way = str(settings.ollama_base_url), seen.ollama.way or VersionRequest()
    why, *hints = external_diagnosis.why(url, way)
    return Refused(
        f"Ollama at {url}: {why}", (*hints, f"try it on the host: {external_commands.asking(url, 'version')}")
    )


def _ours(settings: HostSettings, seen: Probe) -> Refused | None:
    """The address is that of this very host, and what answers there is what we would take away."""
    way, (_, port) = seen.ollama.way or VersionRequest(), settings.ollama_server
    pids = {each.pid for each in seen.sockets if each.port == port}
    unit = (seen.files[paths.OLLAMA_UNIT].content or b"").startswith(removal.OURS)
    process = seen.process
    if not (way.is_here and unit and process and {process.pid, process.inside} & pids):
        return None
    run = "container" if process.image else "service"
    return Refused(
        f"{settings.ollama_base_url} is this host's own ollama.service, which fleethands put here",
        (f'to keep it, declare "ollama_run": "{run}", and no `ollama_base_url`',),
    )


def _lacking(settings: HostSettings, seen: Probe) -> Refused | None:
    """Models that are not there, or are others. None is pulled: the disk is somebody else's."""
    url, found = str(settings.ollama_base_url), {model.name: local(seen, model.name) for model in _wanted(settings)}
    missing = [str(name) for name, digest in found.items() if digest is None]
    if missing:
        pulls = (external_commands.pulling(url, name) for name in missing)
        return Refused(f"Ollama at {url} has no model {', '.join(missing)}, and none is pulled there", tuple(pulls))
    others = ((model, found[model.name] or "") for model in _wanted(settings) if model.digest)
    return next((_another(settings, model, digest) for model, digest in others if digest != model.digest), None)


def _another(settings: HostSettings, model: Model, digest: str) -> Refused:
    url = str(settings.ollama_base_url)
    has = f"has digest {digest[:12]}" if digest else "has no digest that its server says"
    hints = [f"if its registry has the pinned one, {external_commands.pulling(url, str(model.name))}"]
    hints += [f"if that one is wanted, {model_store.renewal(settings, model, digest)}"] if digest else []
    return Refused(f"{model.name} at {url} {has}, pinned is {str(model.digest)[:12]}", tuple(hints))


def declaration(settings: HostSettings, seen: Probe) -> tuple[str, ...]:
    """The line that has an Ollama used as it is, where one of somebody else's answers where ours would listen."""
    if not settings.manages_ollama or not seen.knows("ollama") or seen.ollama.version is None:
        return ()
    url = settings.ollama_host.local_url
    bound = [each.address for each in seen.sockets if each.port == settings.ollama_host.port]
    alone = settings.container_image and bound and all(_is_loopback(address) for address in bound)
    but = "; containers reach it once it listens on more than loopback (its OLLAMA_HOST)" if alone else ""
    return (f'to use it as it is, declare "ollama_run": "external", "ollama_base_url": "{url}"{but}',)


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
