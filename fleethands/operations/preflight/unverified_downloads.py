"""Notes for downloads over plain http without a pinned digest, which an attacker could replace."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.facts import Probe
from fleethands.operations.models import models
from fleethands.operations.ollama.release_archives import archive_names, choose_variant, pinned_checksums
from fleethands.settings import HostSettings
from fleethands.settings.pins import PIN
from fleethands.settings.values.ollama_release import ARCHS
from fleethands.settings.values.source import is_commit

PLAIN = ("http://", "git://")


def notes(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """One note for each download, with what to do."""
    return tuple(_notes(settings, probe))


def _notes(settings: HostSettings, probe: Probe) -> Iterator[str]:
    if settings.manages_ollama:
        yield from _ollama_notes(settings, probe)
    source = settings.openhands_source if settings.openhands_flavor == "source" else None
    if source and (source.repo or "").startswith(PLAIN) and not is_commit(source.ref):
        scheme = str(source.repo).partition(":")[0]
        yield _note(source.title, scheme, "commit; declare one as `openhands_ref`")


def _ollama_notes(settings: HostSettings, probe: Probe) -> Iterator[str]:
    if settings.ollama_url.startswith(PLAIN) and settings.ollama_version not in probe.releases:
        arch = ARCHS[probe.system.arch]
        names = archive_names(settings.ollama_version, arch, choose_variant(settings, probe, arch))
        if not pinned_checksums(settings, arch).keys() >= set(names):
            yield _note(f"Ollama {settings.ollama_version}", "http", f"checksum; {PIN}")
    for model in models.registry_models(settings, {}):
        if model.insecure and not model.digest and probe.knows("models") and not models.local_digest(probe, model.name):
            yield _note(f"model {model.name}", "http", f"digest; {PIN}")


def _note(what: str, scheme: str, pin: str) -> str:
    return f"{what} comes over {scheme}: anybody on the way can replace it, as it has no pinned {pin}"
