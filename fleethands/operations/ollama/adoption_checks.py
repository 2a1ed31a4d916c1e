"""Why a foreign Ollama cannot be replaced, or not without the setting `ollama_adopt`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.service import Service
from fleethands.operations.core.decision import Refused
from fleethands.operations.models import model_store
from fleethands.operations.ollama import environment_files, external, setting_hints
from fleethands.operations.ollama.existing_install import ExistingInstall, find_models_directory
from fleethands.operations.ollama.foreign_settings import ForeignSetting
from fleethands.operations.system import access
from fleethands.settings import HostSettings
from fleethands.settings.schema.types import why_no_models_dir

MAX_NAMED = 8  # settings that one message names
SUGGESTED_DIRECTORY = "/srv/ollama-models"


def check_existing_ollama(settings: HostSettings, probe: Probe) -> Refused | None:
    """Why the existing Ollama cannot be replaced, or only with `ollama_adopt`; None if it can."""
    if not settings.manages_ollama:
        return None
    found = ExistingInstall.from_probe(settings, probe)
    if not found:
        return _check_hidden_models(settings, probe) or environment_files.check_environment_files(probe.service)
    return (
        _check_masked(probe.service)
        or _check_movable(found, settings, probe)
        or (_ask_for_adoption(found, settings, probe) if not settings.ollama_adopt else None)
        or _check_models_directory(settings, probe)
        or _check_hidden_models(settings, probe)
    )


def join_settings(settings: Sequence[ForeignSetting]) -> str:
    """The first settings, and how many more there are."""
    more = f"; and {len(settings) - MAX_NAMED} settings more" if len(settings) > MAX_NAMED else ""
    return "; ".join(map(str, settings[:MAX_NAMED])) + more


def _check_masked(service: Service) -> Refused | None:
    """A user masked the unit so that Ollama does not start."""
    if service.fragment is None or service.fragment.content.strip():
        return None
    return Refused(f"ollama.service is masked, by {service.fragment.path}", ("on the host: systemctl unmask ollama",))


def _check_movable(found: ExistingInstall, settings: HostSettings, probe: Probe) -> Refused | None:
    """Files of a package, and drop-ins that count for other services too, are not moved."""
    service = probe.service
    if found.binary and (package := service.packages.get(found.binary)):
        give_up = f"models stay; on the host: apt-get remove {package}"
        return Refused(
            f"{found.binary} belongs to the package {package}", (give_up, *external.external_hints(settings, probe))
        )
    for text, conflicts in found.drop_ins:
        package = service.packages.get(text.path, "")
        if package or "/service.d/" in text.path:
            owner = f"belongs to the package {package}" if package else "is for every service"
            hint = f"shadow it on the host: ln -s /dev/null {shlex.quote(f'{paths.OLLAMA_UNIT}.d/{text.name}')}"
            return Refused(f"{'; '.join(map(str, conflicts))}; that file {owner}, so it is not moved", (hint,))
    return None


def _ask_for_adoption(found: ExistingInstall, settings: HostSettings, probe: Probe) -> Refused:
    existing = [path for path in (found.binary, found.unit) if path]
    verb = "was" if len(existing) == 1 else "were"
    origin = f"{' and '.join(existing)} {verb} put there by something else" if existing else ""
    return Refused(
        ": ".join(filter(None, (origin, join_settings(found.all_settings)))),
        (
            f"declare `ollama_adopt`: True; fleethands then keeps it in {paths.ADOPTED}, and models stay",
            *external.external_hints(settings, probe),
            *_declaration_hints(found.all_settings, settings, probe),
        ),
    )


def _declaration_hints(found: Sequence[ForeignSetting], settings: HostSettings, probe: Probe) -> Iterator[str]:
    named = found[:MAX_NAMED]
    if settings.ollama_models_dir is None and (moved := _check_models_directory(settings, probe)):
        yield from moved.hints
        named = [each for each in named if each.name != "OLLAMA_MODELS"]
    yield from setting_hints.settings_hints(named, settings)


def _check_models_directory(settings: HostSettings, probe: Probe) -> Refused | None:
    """Our Ollama would not find the existing models: the inventory has to name their directory."""
    found = find_models_directory(probe.service)
    if found is None or settings.ollama_models_dir is not None:
        return None
    directory, location = found
    if directory == model_store.models_directory(settings, probe):
        return None
    reason = f"models lie in {directory}, by {location}, and the inventory does not say so"
    if why := why_no_models_dir(directory):
        return Refused(f"{reason}; no setting can name that directory, {why}", _move_hints(directory))
    return Refused(reason, (f'to keep the models, declare "ollama_models_dir": {json.dumps(directory)}',))


def _move_hints(directory: str) -> tuple[str, ...]:
    """How to move models to a directory that the inventory can name."""
    return (
        f"move them; on the host: systemctl stop ollama; mv {shlex.quote(directory)} {SUGGESTED_DIRECTORY}",
        f'then declare "ollama_models_dir": "{SUGGESTED_DIRECTORY}"',
    )


def _check_hidden_models(settings: HostSettings, probe: Probe) -> Refused | None:
    """Models behind a symlink into a home directory, which our unit hides from Ollama."""
    leads = probe.service.store
    if not leads.startswith(access.HIDDEN):
        return None
    directory = model_store.models_directory(settings, probe)
    return Refused(f"{directory} leads to {leads}, which Ollama's service does not see", _move_hints(leads))
