"""An Ollama that something else installed: refused with what it sets, or taken over without losing a model."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.service import Service, Text
from fleethands.operations.core.operation import Change, Decision, Refused, Unchanged, operation, step
from fleethands.operations.models import model_store
from fleethands.operations.ollama import environment_files, existing_install, existing_settings, external
from fleethands.operations.ollama.existing_install import Declared, Theirs
from fleethands.operations.system import access
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.schema.types import why_not_models

NAMED = 8  # settings that one refusal names
MOVED = "/srv/ollama-models"


@dataclass(frozen=True)
class Found:
    """What is not ours: paths of a binary and of a unit, what the unit sets, and drop-ins that contradict ours."""

    binary: str = ""
    unit: str = ""
    settings: tuple[Theirs, ...] = ()
    drop_ins: tuple[tuple[Text, tuple[Theirs, ...]], ...] = ()

    @classmethod
    def on(cls, wanted: HostSettings, probe: Probe) -> Found:
        service, declared = probe.service, Declared.by(wanted)
        against = [
            (text, tuple(existing_install.of_drop_in(service, text, declared)))
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
            tuple(existing_install.of_unit(service, declared)) if unit else (),
            tuple((text, theirs) for text, theirs in against if theirs),
        )

    def __bool__(self) -> bool:
        return bool(self.binary or self.unit or self.drop_ins)

    @property
    def all(self) -> tuple[Theirs, ...]:
        """Every setting, those that win over ours first."""
        found = [*self.settings, *(each for _, theirs in self.drop_ins for each in theirs)]
        return tuple(sorted(found, key=lambda each: not each.wins))


def refused(settings: HostSettings, probe: Probe) -> Refused | None:
    """Why the Ollama that is there can't give way, or must not without being asked. Nothing is changed."""
    if not settings.manages_ollama:
        return None
    found = Found.on(settings, probe)
    if not found:
        return _hidden(settings, probe) or environment_files.missing(probe.service)
    return (
        _masked(probe.service)
        or _stuck(found, settings, probe)
        or (_unasked(found, settings, probe) if not settings.ollama_adopt else None)
        or _elsewhere(settings, probe)
        or _hidden(settings, probe)
    )


def _masked(service: Service) -> Refused | None:
    """A person's word that Ollama is not to start."""
    if service.fragment is None or service.fragment.content.strip():
        return None
    return Refused(f"ollama.service is masked, by {service.fragment.path}", ("on the host: systemctl unmask ollama",))


def _stuck(found: Found, settings: HostSettings, probe: Probe) -> Refused | None:
    """What may not be moved: it is a package's, or stands there for other services too."""
    service = probe.service
    if found.binary and (package := service.packages.get(found.binary)):
        give_up = f"models stay; on the host: apt-get remove {package}"
        return Refused(
            f"{found.binary} belongs to the package {package}", (give_up, *external.declaration(settings, probe))
        )
    for text, theirs in found.drop_ins:
        package = service.packages.get(text.path, "")
        if package or "/service.d/" in text.path:
            owner = f"belongs to the package {package}" if package else "is for every service"
            hint = f"shadow it on the host: ln -s /dev/null {shlex.quote(f'{paths.OLLAMA_UNIT}.d/{text.name}')}"
            return Refused(f"{'; '.join(map(str, theirs))}; that file {owner}, so it is not moved", (hint,))
    return None


def _unasked(found: Found, settings: HostSettings, probe: Probe) -> Refused:
    there = [path for path in (found.binary, found.unit) if path]
    put = f"{' and '.join(there)} {'was' if len(there) == 1 else 'were'} put there by something else" if there else ""
    return Refused(
        ": ".join(filter(None, (put, _sentence(found.all)))),
        (
            f"declare `ollama_adopt`: True, and it is kept in {paths.ADOPTED} while ours takes its place; models stay",
            *external.declaration(settings, probe),
            *_declarations(found.all, settings, probe),
        ),
    )


def _sentence(theirs: Sequence[Theirs]) -> str:
    more = f"; and {len(theirs) - NAMED} settings more" if len(theirs) > NAMED else ""
    return "; ".join(map(str, theirs[:NAMED])) + more


def _declarations(theirs: Sequence[Theirs], settings: HostSettings, probe: Probe) -> Iterator[str]:
    named = theirs[:NAMED]
    if settings.ollama_models_dir is None and (elsewhere := _elsewhere(settings, probe)):
        yield from elsewhere.hints
        named = [each for each in named if each.name != "OLLAMA_MODELS"]
    yield from existing_settings.hints(named, settings)


def _elsewhere(settings: HostSettings, probe: Probe) -> Refused | None:
    """Models that ours would not find: the inventory has to say where they lie."""
    theirs = existing_install.store(probe.service)
    if theirs is None or settings.ollama_models_dir is not None or theirs[0] == model_store.directory(settings, probe):
        return None
    directory, place = theirs
    why = why_not_models(directory)
    hints = _move(directory) if why else (f'to keep the models, declare "ollama_models_dir": {json.dumps(directory)}',)
    reason = f"models lie in {directory}, by {place}, and the inventory does not say so"
    return Refused(f"{reason}; no setting can name that directory, {why}" if why else reason, hints)


def _move(directory: str) -> tuple[str, ...]:
    """How models come to a place that the inventory may name."""
    return (
        f"move them; on the host: systemctl stop ollama; mv {shlex.quote(directory)} {MOVED}",
        f'then declare "ollama_models_dir": "{MOVED}"',
    )


def _hidden(settings: HostSettings, probe: Probe) -> Refused | None:
    """Models behind a link into a home, which our unit hides from Ollama."""
    leads = probe.service.store
    if not leads.startswith(access.HIDDEN):
        return None
    directory = model_store.directory(settings, probe)
    return Refused(f"{directory} leads to {leads}, which Ollama's service does not see", _move(leads))


@operation
def adopted(settings: HostSettings, probe: Probe) -> Decision:
    """
    Have a copy of what ours will take the place of, and drop-ins that contradict ours out of its way.

    Nothing that serves is touched: the binary and the unit stay until ours replace them.
    """
    found = Found.on(settings, probe)
    if not found:
        return Unchanged("no Ollama of somebody else's is in the way")
    if stop := refused(settings, probe):
        return stop
    changes = []
    if found.binary:
        after = f"kept in {paths.ADOPTED}, ours takes its place"
        changes.append(Change(found.binary, "somebody else's", after, _keep(found.binary)))
    if found.unit:
        changes += [_unit(found, settings, probe), *_models(settings, probe)]
    return changes + [_drop_in(text, theirs, probe.service) for text, theirs in found.drop_ins]


def _keep(path: str, move: bool = False) -> Script:
    return step("adopt", path=path, place=paths.ADOPTED, move="yes" if move else "no")


def _unit(found: Found, settings: HostSettings, probe: Probe) -> Change:
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
        _keep(found.unit),
        predict,
        why="; ".join(filter(None, (_sentence(found.settings), _models_left(settings, probe.service)))),
        consequence="its process gives way with one restart, when ours is unpacked",
    )


def _models_left(settings: HostSettings, service: Service) -> str:
    theirs, directory = existing_install.store(service), settings.ollama_models_dir
    if theirs is None or directory is None or theirs[0] == str(directory):
        return ""
    return f"models in {theirs[0]}, by {theirs[1]}, stay there: {directory} is declared"


def _models(settings: HostSettings, probe: Probe) -> list[Change]:
    """Models of another account become the service user's."""
    theirs = existing_install.user(probe.service)
    if theirs == "ollama":
        return []
    path = model_store.directory(settings, probe)
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


def _drop_in(text: Text, theirs: tuple[Theirs, ...], service: Service) -> Change:
    named = {each.place for each in theirs}
    beside = [line for line in existing_install.lines(service, text) if line.place not in named and line.value]
    also = ", ".join(f"{line.name}={line.shown} ({line.place})" for line in beside)
    return Change(
        text.path,
        "somebody else's",
        f"moved to {paths.ADOPTED}",
        _keep(text.path, move=True),
        lambda probe: probe.having(service=probe.service.without(text.path)),
        why=_sentence(theirs),
        consequence=f"lost with it: {also}" if also else "",
    )


@operation
def cleared(settings: HostSettings, probe: Probe) -> Decision:
    """Have the libraries of an adopted Ollama out of the way, once ours serves."""
    path = paths.LIBRARIES
    if not settings.ollama_adopt or settings.ollama_declared_image or path not in probe.service.there:
        return Unchanged("no libraries of somebody else's are left")
    if package := probe.service.packages.get(path):
        return Unchanged(f"{path} belongs to the package {package}, and stays")

    def predict(probe: Probe) -> Probe:
        return probe.having(service=probe.service.without(path))

    why = "no Ollama uses them any more"
    return Change(path, "somebody else's", f"moved to {paths.ADOPTED}", _keep(path, move=True), predict, why)
