"""An Ollama that something else installed: refused with what it sets, or taken over without losing a model."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.service import Service, UnitText
from fleethands.operations.core.decision import Change, Decision, Refused, Unchanged
from fleethands.operations.core.host_script import step
from fleethands.operations.core.operation import operation
from fleethands.operations.models import model_store
from fleethands.operations.ollama import environment_files, existing_install, existing_settings, external
from fleethands.operations.ollama.existing_install import DesiredEnvironment, ForeignSetting
from fleethands.operations.system import access
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.schema.types import why_no_models_dir

MAX_NAMED = 8  # settings that one refusal names
SUGGESTED_DIRECTORY = "/srv/ollama-models"


@dataclass(frozen=True)
class ExistingInstall:
    """What is not ours: paths of a binary and of a unit, what the unit sets, and drop-ins that contradict ours."""

    binary: str = ""
    unit: str = ""
    settings: tuple[ForeignSetting, ...] = ()
    drop_ins: tuple[tuple[UnitText, tuple[ForeignSetting, ...]], ...] = ()

    @classmethod
    def on(cls, wanted: HostSettings, probe: Probe) -> ExistingInstall:
        service, declared = probe.service, DesiredEnvironment.by(wanted)
        against = [
            (text, tuple(existing_install.find_conflicts(service, text, declared)))
            for text in service.drop_ins
            if not text.ours
        ]
        binary = probe.files[paths.BINARY]
        ours = binary.kind == "absent" or (binary.kind == "link" and binary.target.startswith(paths.RELEASES + "/"))
        ours = ours or bool(wanted.ollama_declared_image)  # a container leaves it where it is
        unit = service.fragment
        if unit is None or unit.ours:
            unit = None
        return cls(
            "" if ours else paths.BINARY,
            unit.path if unit else "",
            tuple(existing_install.find_lost_settings(service, declared)) if unit else (),
            tuple((text, theirs) for text, theirs in against if theirs),
        )

    def __bool__(self) -> bool:
        return bool(self.binary or self.unit or self.drop_ins)

    @property
    def all(self) -> tuple[ForeignSetting, ...]:
        """Every setting, those that win over ours first."""
        found = [*self.settings, *(each for _, theirs in self.drop_ins for each in theirs)]
        return tuple(sorted(found, key=lambda each: not each.wins))


def check_existing_ollama(settings: HostSettings, probe: Probe) -> Refused | None:
    """Why the Ollama that is there can't give way, or must not without being asked. Nothing is changed."""
    if not settings.manages_ollama:
        return None
    found = ExistingInstall.on(settings, probe)
    if not found:
        return _check_hidden_models(settings, probe) or environment_files.check_environment_files(probe.service)
    return (
        _check_masked(probe.service)
        or _check_movable(found, settings, probe)
        or (_ask_for_adoption(found, settings, probe) if not settings.ollama_adopt else None)
        or _check_models_directory(settings, probe)
        or _check_hidden_models(settings, probe)
    )


def _check_masked(service: Service) -> Refused | None:
    """A person's word that Ollama is not to start."""
    if service.fragment is None or service.fragment.content.strip():
        return None
    return Refused(f"ollama.service is masked, by {service.fragment.path}", ("on the host: systemctl unmask ollama",))


def _check_movable(found: ExistingInstall, settings: HostSettings, probe: Probe) -> Refused | None:
    """What may not be moved: it is a package's, or stands there for other services too."""
    service = probe.service
    if found.binary and (package := service.packages.get(found.binary)):
        give_up = f"models stay; on the host: apt-get remove {package}"
        return Refused(
            f"{found.binary} belongs to the package {package}", (give_up, *external.external_hints(settings, probe))
        )
    for text, theirs in found.drop_ins:
        package = service.packages.get(text.path, "")
        if package or "/service.d/" in text.path:
            owner = f"belongs to the package {package}" if package else "is for every service"
            hint = f"shadow it on the host: ln -s /dev/null {shlex.quote(f'{paths.OLLAMA_UNIT}.d/{text.name}')}"
            return Refused(f"{'; '.join(map(str, theirs))}; that file {owner}, so it is not moved", (hint,))
    return None


def _ask_for_adoption(found: ExistingInstall, settings: HostSettings, probe: Probe) -> Refused:
    there = [path for path in (found.binary, found.unit) if path]
    put = f"{' and '.join(there)} {'was' if len(there) == 1 else 'were'} put there by something else" if there else ""
    return Refused(
        ": ".join(filter(None, (put, _join_settings(found.all)))),
        (
            f"declare `ollama_adopt`: True, and it is kept in {paths.ADOPTED} while ours takes its place; models stay",
            *external.external_hints(settings, probe),
            *_setting_hints(found.all, settings, probe),
        ),
    )


def _join_settings(theirs: Sequence[ForeignSetting]) -> str:
    more = f"; and {len(theirs) - MAX_NAMED} settings more" if len(theirs) > MAX_NAMED else ""
    return "; ".join(map(str, theirs[:MAX_NAMED])) + more


def _setting_hints(theirs: Sequence[ForeignSetting], settings: HostSettings, probe: Probe) -> Iterator[str]:
    named = theirs[:MAX_NAMED]
    if settings.ollama_models_dir is None and (elsewhere := _check_models_directory(settings, probe)):
        yield from elsewhere.hints
        named = [each for each in named if each.name != "OLLAMA_MODELS"]
    yield from existing_settings.settings_hints(named, settings)


def _check_models_directory(settings: HostSettings, probe: Probe) -> Refused | None:
    """Models that ours would not find: the inventory has to say where they lie."""
    theirs = existing_install.find_models_directory(probe.service)
    if (
        theirs is None
        or settings.ollama_models_dir is not None
        or theirs[0] == model_store.models_directory(settings, probe)
    ):
        return None
    directory, place = theirs
    why = why_no_models_dir(directory)
    hints = (
        _move_hints(directory)
        if why
        else (f'to keep the models, declare "ollama_models_dir": {json.dumps(directory)}',)
    )
    reason = f"models lie in {directory}, by {place}, and the inventory does not say so"
    return Refused(f"{reason}; no setting can name that directory, {why}" if why else reason, hints)


def _move_hints(directory: str) -> tuple[str, ...]:
    """How models come to a place that the inventory may name."""
    return (
        f"move them; on the host: systemctl stop ollama; mv {shlex.quote(directory)} {SUGGESTED_DIRECTORY}",
        f'then declare "ollama_models_dir": "{SUGGESTED_DIRECTORY}"',
    )


def _check_hidden_models(settings: HostSettings, probe: Probe) -> Refused | None:
    """Models behind a link into a home, which our unit hides from Ollama."""
    leads = probe.service.store
    if not leads.startswith(access.HIDDEN):
        return None
    directory = model_store.models_directory(settings, probe)
    return Refused(f"{directory} leads to {leads}, which Ollama's service does not see", _move_hints(leads))


@operation
def adopt(settings: HostSettings, probe: Probe) -> Decision:
    """
    Have a copy of what ours will take the place of, and drop-ins that contradict ours out of its way.

    Nothing that serves is touched: the binary and the unit stay until ours replace them.
    """
    found = ExistingInstall.on(settings, probe)
    if not found:
        return Unchanged("no Ollama of somebody else's is in the way")
    if stop := check_existing_ollama(settings, probe):
        return stop
    changes = []
    if found.binary:
        after = f"kept in {paths.ADOPTED}, ours takes its place"
        changes.append(Change(found.binary, "somebody else's", after, _keep_script(found.binary)))
    if found.unit:
        changes += [_adopt_unit(found, settings, probe), *_adopt_models(settings, probe)]
    return changes + [_move_drop_in(text, theirs, probe.service) for text, theirs in found.drop_ins]


def _keep_script(path: str, move: bool = False) -> Script:
    return step("adopt", path=path, place=paths.ADOPTED, move="yes" if move else "no")


def _adopt_unit(found: ExistingInstall, settings: HostSettings, probe: Probe) -> Change:
    def predict(probe: Probe) -> Probe:
        if found.unit == paths.OLLAMA_UNIT:  # what it says is not for the diff of ours
            probe = probe.with_file(found.unit, File("file", "0644", owner="root:root"))
        units = tuple(each for each in probe.service.units if each.name != "ollama.service")
        return probe.having(service=replace(probe.service, units=units))

    package = probe.service.packages.get(found.unit)
    ours = "ours takes its place" if found.unit == paths.OLLAMA_UNIT else f"ours, {paths.OLLAMA_UNIT}, comes first"
    return Change(
        found.unit,
        f"of the package {package}" if package else "somebody else's",
        f"kept in {paths.ADOPTED}, {ours}",
        _keep_script(found.unit),
        predict,
        why="; ".join(filter(None, (_join_settings(found.settings), _models_left_behind(settings, probe.service)))),
        consequence="its process gives way with one restart, when ours is unpacked",
    )


def _models_left_behind(settings: HostSettings, service: Service) -> str:
    theirs, directory = existing_install.find_models_directory(service), settings.ollama_models_dir
    if theirs is None or directory is None or theirs[0] == str(directory):
        return ""
    return f"models in {theirs[0]}, by {theirs[1]}, stay there: {directory} is declared"


def _adopt_models(settings: HostSettings, probe: Probe) -> list[Change]:
    """Models of another account become the service user's."""
    theirs = existing_install.find_user(probe.service)
    if theirs == "ollama":
        return []
    path = model_store.models_directory(settings, probe)
    return [
        Change(
            path,
            f"of {theirs}",
            "with all it holds of ollama",
            step("adopt_models", path=path, theirs=theirs),
            lambda probe: probe.having(directories=replace(probe.directories, kept=None)),
            why="Ollama ran as another user, and ours writes there",
        )
    ]


def _move_drop_in(text: UnitText, theirs: tuple[ForeignSetting, ...], service: Service) -> Change:
    named = {each.place for each in theirs}
    beside = [
        line for line in existing_install.read_assignments(service, text) if line.place not in named and line.value
    ]
    also = ", ".join(f"{line.name}={line.shown} ({line.place})" for line in beside)
    return Change(
        text.path,
        "somebody else's",
        f"moved to {paths.ADOPTED}",
        _keep_script(text.path, move=True),
        lambda probe: probe.having(service=probe.service.without(text.path)),
        why=_join_settings(theirs),
        consequence=f"lost with it: {also}" if also else "",
    )


@operation
def clear_libraries(settings: HostSettings, probe: Probe) -> Decision:
    """Have the libraries of an adopted Ollama out of the way, once ours serves."""
    path = paths.LIBRARIES
    if not settings.ollama_adopt or settings.ollama_declared_image or path not in probe.service.there:
        return Unchanged("no libraries of somebody else's are left")
    if package := probe.service.packages.get(path):
        return Unchanged(f"{path} belongs to the package {package}, and stays")

    def predict(probe: Probe) -> Probe:
        return probe.having(service=probe.service.without(path))

    why = "no Ollama uses them any more"
    return Change(path, "somebody else's", f"moved to {paths.ADOPTED}", _keep_script(path, move=True), predict, why)
