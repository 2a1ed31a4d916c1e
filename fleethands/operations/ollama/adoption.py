"""Takes over a foreign Ollama: keeps a copy of its files, and loses no model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.service import Service, UnitText
from fleethands.operations.core.decision import Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.models import model_store
from fleethands.operations.ollama.adoption_checks import check_existing_ollama, join_settings
from fleethands.operations.ollama.existing_install import ExistingInstall, find_models_directory, find_user
from fleethands.operations.ollama.foreign_settings import ForeignSetting
from fleethands.operations.ollama.unit_assignments import read_assignments
from fleethands.script import Script
from fleethands.settings import HostSettings


@dataclass(frozen=True)
class KeepFile(HostScript, file="adopt"):
    """Keeps a copy of a foreign file or directory below `place`, or moves it there."""

    path: str
    place: str
    move: bool


@dataclass(frozen=True)
class AdoptModels(HostScript, file="adopt_models"):
    """Gives the models of another account to Ollama's user."""

    path: str
    theirs: str


@operation
def adopt(settings: HostSettings, probe: Probe) -> Decision:
    """
    Keep a copy of the files that fleethands will replace, and move drop-ins that contradict the settings.

    The running Ollama is not touched: its binary and its unit stay until fleethands' own replace them.
    """
    found = ExistingInstall.from_probe(settings, probe)
    if not found:
        return Unchanged("no foreign Ollama is in the way")
    if refused := check_existing_ollama(settings, probe):
        return refused
    changes = []
    if found.binary:
        changes.append(_keep_binary(found.binary))
    if found.unit:
        changes += [_adopt_unit(found, settings, probe), *_adopt_models(settings, probe)]
    return changes + [_move_drop_in(text, conflicts, probe.service) for text, conflicts in found.drop_ins]


def _keep_script(path: str, move: bool = False) -> Script:
    return KeepFile(path, paths.ADOPTED, move).script


def _keep_binary(path: str) -> Change:
    return Change(path, "foreign", f"kept in {paths.ADOPTED}, and replaced by fleethands' own", _keep_script(path))


def _adopt_unit(found: ExistingInstall, settings: HostSettings, probe: Probe) -> Change:
    package = probe.service.packages.get(found.unit)
    effect = "replaced" if found.unit == paths.OLLAMA_UNIT else f"overridden with {paths.OLLAMA_UNIT}"
    reasons = (join_settings(found.lost), _abandoned_models(settings, probe.service))
    return Change(
        found.unit,
        f"of the package {package}" if package else "foreign",
        f"kept in {paths.ADOPTED}, and {effect} by fleethands' own",
        _keep_script(found.unit),
        lambda probe: _without_unit(probe, found.unit),
        why="; ".join(filter(None, reasons)),
        consequence="one restart replaces its process, once fleethands' own Ollama is unpacked",
    )


def _without_unit(probe: Probe, path: str) -> Probe:
    if path == paths.OLLAMA_UNIT:  # the diff of fleethands' own unit leaves the foreign text out
        probe = probe.with_file(path, File("file", "0644", owner="root:root"))
    units = tuple(each for each in probe.service.units if each.name != "ollama.service")
    return probe.replace(service=replace(probe.service, units=units))


def _abandoned_models(settings: HostSettings, service: Service) -> str:
    """Models that the managed Ollama will not use, because another directory is declared."""
    found, declared = find_models_directory(service), settings.ollama_models_dir
    if found is None or declared is None or found[0] == str(declared):
        return ""
    return f"models in {found[0]}, by {found[1]}, stay there: {declared} is declared"


def _adopt_models(settings: HostSettings, probe: Probe) -> list[Change]:
    """Models of another account are given to the service's user."""
    user = find_user(probe.service)
    if user == "ollama":
        return []
    path = model_store.models_directory(settings, probe)
    return [
        Change(
            path,
            f"owned by {user}",
            "owned by ollama, with everything in it",
            AdoptModels(path, user).script,
            lambda probe: probe.replace(directories=replace(probe.directories, kept=None)),
            why="Ollama ran as another user, and the managed Ollama writes there",
        )
    ]


def _move_drop_in(text: UnitText, conflicts: tuple[ForeignSetting, ...], service: Service) -> Change:
    named = {each.location for each in conflicts}
    others = [each for each in read_assignments(service, text) if each.location not in named and each.value]
    lost = ", ".join(f"{each.name}={each.masked_value} ({each.location})" for each in others)
    return Change(
        text.path,
        "foreign",
        f"moved to {paths.ADOPTED}",
        _keep_script(text.path, move=True),
        lambda probe: probe.replace(service=probe.service.without(text.path)),
        why=join_settings(conflicts),
        consequence=f"lost with it: {lost}" if lost else "",
    )


@operation
def clear_libraries(settings: HostSettings, probe: Probe) -> Decision:
    """Move the libraries of an adopted Ollama away, once the managed Ollama is running."""
    path = paths.LIBRARIES
    if not settings.ollama_adopt or settings.ollama_declared_image or path not in probe.service.there:
        return Unchanged("no foreign libraries are left")
    if package := probe.service.packages.get(path):
        return Unchanged(f"{path} belongs to the package {package}, and stays")
    return Change(
        path,
        "foreign",
        f"moved to {paths.ADOPTED}",
        _keep_script(path, move=True),
        lambda probe: probe.replace(service=probe.service.without(path)),
        why="no Ollama uses them any more",
    )
