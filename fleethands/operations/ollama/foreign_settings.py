"""Settings of a foreign Ollama that differ from the declared ones: where they are, and what happens to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleethands import paths
from fleethands.facts.service import Service, UnitText
from fleethands.operations.ollama.unit_assignments import Assignment, mask_value, read_assignments
from fleethands.settings import HostSettings
from fleethands.settings.values.envconfig import means_same, parse_meaning
from fleethands.settings.values.secret import MASK

OVERRIDE_NAME = paths.OLLAMA_OVERRIDE.rsplit("/", 1)[-1]
PATH_VARIABLES = {"PATH", "HOME"}  # install.sh writes its own PATH into the unit; our unit needs neither
ACCOUNT = {"ExecStart": f"{paths.BINARY} serve", "User": "ollama", "Group": "ollama", "DynamicUser": "no"}
CLIENT = {"ExecStart": "docker run", "User": "root", "Group": "root", "DynamicUser": "no"}  # of a container
# keys of a unit that no setting can keep
LOST_KEYS = re.compile(r"Exec(?!Start\Z)|Limit|Nice|CPU|Memory|IO|OOM|Slice|\w+Cred")


@dataclass(frozen=True)
class ForeignSetting:
    """
    One setting of a foreign unit file or drop-in.

    + location: `FILE:LINE`
    + name: of a variable, or of a unit file's key
    + effect: what happens to it, as a clause
    + wins: over a declared setting
    """

    location: str
    name: str
    value: str
    effect: str
    wins: bool = False
    is_variable: bool = False

    def __str__(self) -> str:
        return f"{self.location} sets {self.name}={mask_value(self.name, self.value)}, {self.effect}"


@dataclass(frozen=True)
class DesiredEnvironment:
    """
    The variables of our unit.

    + secret: names of the variables in the file of secrets, which override Environment=
    + hidden: names whose values must not be shown
    + account: the command and the user of our unit
    """

    values: Mapping[str, str]
    secret: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    account: Mapping[str, str] = field(default_factory=lambda: ACCOUNT)

    @classmethod
    def from_settings(cls, settings: HostSettings) -> DesiredEnvironment:
        account = CLIENT if settings.ollama_declared_image else ACCOUNT
        return cls(settings.ollama_environment, settings.ollama_secrets, settings.ollama_secrets, account)

    def masked_value(self, name: str) -> str:
        return MASK if name in self.hidden else mask_value(name, self.values[name])


def find_lost_settings(service: Service, desired: DesiredEnvironment) -> list[ForeignSetting]:
    """Settings that are lost with a foreign unit file."""
    found = []
    for line in read_assignments(service, service.fragment) if service.fragment else ():
        if line.kind in {"Environment", "EnvironmentFile"}:
            found += _lost_variables(line, desired)
        elif LOST_KEYS.match(line.kind) and line.value:
            effect = "which is lost: put it into a drop-in to keep it"
            found.append(ForeignSetting(line.location, line.name, line.value, effect))
    return found


def _lost_variables(line: Assignment, desired: DesiredEnvironment) -> list[ForeignSetting]:
    if line.name in PATH_VARIABLES or parse_meaning(line.name, line.value) is None:
        return []
    if means_same(line.name, desired.values.get(line.name), line.value):
        return []
    if line.name in desired.values:
        effect = f"which is replaced by the declared {desired.masked_value(line.name)}"
    else:
        effect = "which is lost: it is not declared"
    return [ForeignSetting(line.location, line.name, line.masked_value, effect, is_variable=True)]


def find_conflicts(service: Service, drop_in: UnitText, desired: DesiredEnvironment) -> list[ForeignSetting]:
    """Settings of a drop-in that contradict the declared ones. Other settings are left out."""
    is_later = drop_in.name > OVERRIDE_NAME
    found = (_find_conflict(line, desired, is_later) for line in read_assignments(service, drop_in))
    return [each for each in found if each is not None]


def _find_conflict(line: Assignment, desired: DesiredEnvironment, is_later: bool) -> ForeignSetting | None:
    if line.kind in {"Environment", "EnvironmentFile"}:
        return _find_variable_conflict(line, desired, _wins(line, desired, is_later))
    if line.kind == "reset":
        return _find_reset(line, desired) if is_later else None
    if line.kind == "UnsetEnvironment" and line.name in desired.values:
        return ForeignSetting(line.location, line.kind, line.value, "which takes the declared one away", wins=True)
    ours = desired.account.get(line.kind)
    if ours is None or line.value in {ours, ""}:
        return None
    return ForeignSetting(line.location, line.name, line.value, f"which wins over our {ours}", wins=True)


def _find_reset(line: Assignment, desired: DesiredEnvironment) -> ForeignSetting | None:
    """An empty Environment= or EnvironmentFile=, which discards all assignments before it."""
    if line.name == "Environment":
        return ForeignSetting(line.location, line.name, "", "which takes every declared variable away", wins=True)
    if not desired.secret:
        return None
    return ForeignSetting(line.location, line.name, "", "which takes the declared secrets away", wins=True)


def _wins(line: Assignment, desired: DesiredEnvironment, is_later: bool) -> bool:
    """A file overrides Environment=; of the same kind the later one wins (systemd.exec(5), EnvironmentFile=)."""
    from_file, ours_from_file = line.kind == "EnvironmentFile", line.name in desired.secret
    return is_later if from_file == ours_from_file else from_file


def _find_variable_conflict(line: Assignment, desired: DesiredEnvironment, wins: bool) -> ForeignSetting | None:
    if line.name not in desired.values:
        if line.name not in {"OLLAMA_MODELS", "HOME"}:
            return None
        effect = "which is not declared, and moves the models"
        return ForeignSetting(line.location, line.name, line.value, effect, wins=True, is_variable=True)
    if means_same(line.name, desired.values[line.name], line.value):
        return None
    effect = f"which {'wins over' if wins else 'is overridden by'} the declared {desired.masked_value(line.name)}"
    return ForeignSetting(line.location, line.name, line.value, effect, wins, is_variable=True)
