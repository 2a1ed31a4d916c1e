"""An Ollama on the host that fleethands did not install."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.service import Service, UnitText
from fleethands.operations.ollama import foreign_settings
from fleethands.operations.ollama.foreign_settings import DesiredEnvironment, ForeignSetting
from fleethands.operations.ollama.unit_assignments import Assignment, read_assignments
from fleethands.settings import HostSettings


@dataclass(frozen=True)
class ExistingInstall:
    """
    Foreign files that our Ollama would replace, or that contradict its settings.

    + binary, unit: paths; empty if there is none
    + lost: settings of the unit that are lost with it
    + drop_ins: those that contradict our settings, and the settings that do
    """

    binary: str = ""
    unit: str = ""
    lost: tuple[ForeignSetting, ...] = ()
    drop_ins: tuple[tuple[UnitText, tuple[ForeignSetting, ...]], ...] = ()

    @classmethod
    def from_probe(cls, settings: HostSettings, probe: Probe) -> ExistingInstall:
        desired = DesiredEnvironment.from_settings(settings)
        service, unit = probe.service, probe.service.fragment
        is_foreign = unit is not None and not unit.ours
        # a container leaves the binary where it is
        keeps_binary = bool(settings.ollama_declared_image) or not _is_foreign_binary(probe.files[paths.BINARY])
        return cls(
            "" if keeps_binary else paths.BINARY,
            unit.path if unit and is_foreign else "",
            tuple(foreign_settings.find_lost_settings(service, desired)) if is_foreign else (),
            tuple(_find_drop_ins(service, desired)),
        )

    def __bool__(self) -> bool:
        return bool(self.binary or self.unit or self.drop_ins)

    @property
    def all_settings(self) -> tuple[ForeignSetting, ...]:
        """Every setting, those that win over fleethands' own first."""
        found = [*self.lost, *(each for _, settings in self.drop_ins for each in settings)]
        return tuple(sorted(found, key=lambda each: not each.wins))


def _is_foreign_binary(binary: File) -> bool:
    is_managed = binary.kind == "link" and binary.target.startswith(paths.RELEASES + "/")
    return binary.kind != "absent" and not is_managed


def _find_drop_ins(service: Service, desired: DesiredEnvironment) -> list[tuple[UnitText, tuple[ForeignSetting, ...]]]:
    found = []
    for drop_in in service.drop_ins:
        conflicts = () if drop_in.ours else tuple(foreign_settings.find_conflicts(service, drop_in, desired))
        if conflicts:
            found.append((drop_in, conflicts))
    return found


def find_models_directory(service: Service) -> tuple[str, str] | None:
    """Models directory of a foreign unit, and the `FILE:LINE` that sets it; None if its files do not say."""
    texts = [each for each in (service.fragment, *service.drop_ins) if each is not None and not each.ours]
    found = [line for text in texts for line in read_assignments(service, text)]
    if named := _last_models_variable(found):
        return named.value.rstrip("/"), named.location
    if service.fragment is None or service.fragment.ours:
        return None
    homes = [line for line in found if line.kind == "Environment" and line.name == "HOME"]
    if homes:
        return f"{homes[-1].value}/.ollama/models", homes[-1].location
    users = [line for line in found if line.kind == "User" and line.value in service.homes]
    return (f"{service.homes[users[-1].value]}/.ollama/models", users[-1].location) if users else None


def _last_models_variable(lines: list[Assignment]) -> Assignment | None:
    """The OLLAMA_MODELS that counts: a file overrides Environment=, and of the same kind the last one wins."""
    named = [line for line in lines if line.kind in {"Environment", "EnvironmentFile"} and line.name == "OLLAMA_MODELS"]
    named.sort(key=lambda line: line.kind == "EnvironmentFile")  # stable
    return named[-1] if named and named[-1].value else None


def find_user(service: Service) -> str:
    """The account that a foreign unit runs as."""
    texts = (service.fragment, *service.drop_ins)
    users = [line.value for text in texts if text for line in read_assignments(service, text) if line.kind == "User"]
    return (users[-1] if users else "") or "root"
