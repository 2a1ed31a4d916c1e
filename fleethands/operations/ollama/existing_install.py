"""What an Ollama of somebody else's sets: where that stands, and what becomes of it beside the declared settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fleethands import paths
from fleethands.facts.service import Service, UnitText
from fleethands.settings import HostSettings
from fleethands.settings.schema.ollama_env import is_known
from fleethands.settings.values.envconfig import means_same, parse_meaning
from fleethands.settings.values.secret import MASK
from fleethands.text.systemd_unit import Setting, parse_assignments, parse_environment_file, parse_settings, split_words

OVERRIDE_NAME = paths.OLLAMA_OVERRIDE.rsplit("/", 1)[-1]
PATH_VARIABLES = {"PATH", "HOME"}  # install.sh freezes its own PATH in; what else runs is ours
ACCOUNT = {"ExecStart": f"{paths.BINARY} serve", "User": "ollama", "Group": "ollama", "DynamicUser": "no"}
CLIENT = {"ExecStart": "docker run", "User": "root", "Group": "root", "DynamicUser": "no"}  # of its container
LOST_KEYS = re.compile(r"Exec(?!Start\Z)|Limit|Nice|CPU|Memory|IO|OOM|Slice|\w+Cred")  # keys whose loss is told
_SECRET = re.compile(r"KEY|TOKEN|PASS|SECRET|CREDENTIAL", re.IGNORECASE)
_LOGIN = re.compile(r"://[^/@\s]+@")


@dataclass(frozen=True)
class ForeignSetting:
    """
    One setting of somebody else's.

    + place: `FILE:LINE`
    + name: of a variable, or of a unit file's key
    + fate: what becomes of it, as a clause
    + wins: over a declared one
    + assigns: it is a variable
    """

    place: str
    name: str
    value: str
    effect: str
    wins: bool = False
    is_variable: bool = False

    def __str__(self) -> str:
        return f"{self.place} sets {self.name}={mask_value(self.name, self.value)}, {self.effect}"


def mask_value(name: str, value: str) -> str:
    """A value as it may be shown."""
    return MASK if _SECRET.search(name) or _LOGIN.search(value) else value


@dataclass(frozen=True)
class Assignment:
    """One assignment in effect: `kind` is Environment, EnvironmentFile, UnsetEnvironment, reset, or the key itself."""

    kind: str
    name: str
    value: str
    place: str

    @property
    def shown(self) -> str:
        """The value as it may be shown: a file of variables may be one that not everybody reads."""
        return mask_value(self.name, self.value) if is_known(self.name) or self.kind != "EnvironmentFile" else MASK


def read_assignments(service: Service, text: UnitText) -> Iterator[Assignment]:
    """What one unit file or drop-in assigns, the files that it names included."""
    for setting in parse_settings(text.lines):
        if setting.section == "Service":
            yield from _parse_assignments(setting, f"{text.path}:{setting.line}")
    for named in service.files:
        if named.unit == text.path:
            for name, value, number in parse_environment_file(named.lines):
                yield Assignment("EnvironmentFile", name, value, f"{named.path}:{number}")


def _parse_assignments(setting: Setting, place: str) -> Iterator[Assignment]:
    if setting.key == "Environment" and not setting.value:
        yield Assignment("reset", "Environment", "", place)
    elif setting.key == "EnvironmentFile" and not setting.value:
        yield Assignment("reset", "EnvironmentFile", "", place)
    elif setting.key == "Environment":
        yield from (Assignment("Environment", name, value, place) for name, value in parse_assignments(setting.value))
    elif setting.key == "UnsetEnvironment":
        names = (word.partition("=")[0] for word in split_words(setting.value))
        yield from (Assignment("UnsetEnvironment", name, name, place) for name in names)
    elif setting.key not in {"EnvironmentFile", "PassEnvironment"}:
        yield Assignment(setting.key, setting.key, setting.value, place)


@dataclass(frozen=True)
class DesiredEnvironment:
    """
    Variables that ours carries.

    + secret: names of those that lie in the file beside it, whose word counts more than Environment='s
    + hidden: names whose values may not be seen
    + account: what our unit runs, and as whom
    """

    values: Mapping[str, str]
    secret: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    account: Mapping[str, str] = field(default_factory=lambda: ACCOUNT)

    @classmethod
    def by(cls, wanted: HostSettings) -> DesiredEnvironment:
        account = CLIENT if wanted.ollama_declared_image else ACCOUNT
        return cls(wanted.ollama_environment, wanted.ollama_secrets, wanted.ollama_secrets, account)

    def shown(self, name: str) -> str:
        return MASK if name in self.hidden else mask_value(name, self.values[name])


def find_lost_settings(service: Service, declared: DesiredEnvironment) -> list[ForeignSetting]:
    """Settings that are lost with a unit file of somebody else's."""
    found = []
    for line in read_assignments(service, service.fragment) if service.fragment else ():
        if line.kind in {"Environment", "EnvironmentFile"}:
            found += _lost_variables(line, declared)
        elif LOST_KEYS.match(line.kind) and line.value:
            found.append(
                ForeignSetting(line.place, line.name, line.value, "which is lost: put it into a drop-in to keep it")
            )
    return found


def _lost_variables(line: Assignment, declared: DesiredEnvironment) -> list[ForeignSetting]:
    if line.name in PATH_VARIABLES or parse_meaning(line.name, line.value) is None:
        return []
    if means_same(line.name, declared.values.get(line.name), line.value):
        return []
    if line.name in declared.values:
        fate = f"which gives way to the declared {declared.shown(line.name)}"
    else:
        fate = "which is lost: it is not declared"
    return [ForeignSetting(line.place, line.name, line.shown, fate, is_variable=True)]


def find_conflicts(service: Service, text: UnitText, declared: DesiredEnvironment) -> list[ForeignSetting]:
    """Settings of a drop-in that contradict the declared ones; those that go beside them are left out."""
    last = text.name > OVERRIDE_NAME
    found = (_find_conflict(line, declared, last) for line in read_assignments(service, text))
    return [each for each in found if each is not None]


def _find_conflict(line: Assignment, declared: DesiredEnvironment, last: bool) -> ForeignSetting | None:
    if line.kind in {"Environment", "EnvironmentFile"}:
        return _find_variable_conflict(line, declared, _wins(line, declared, last))
    if line.kind == "reset":
        what = "every declared variable" if line.name == "Environment" else "the declared secrets"
        takes = last and (line.name == "Environment" or bool(declared.secret))
        return ForeignSetting(line.place, line.name, "", f"which takes {what} away", wins=True) if takes else None
    if line.kind == "UnsetEnvironment" and line.name in declared.values:
        return ForeignSetting(line.place, line.kind, line.value, "which takes the declared one away", wins=True)
    ours = declared.account.get(line.kind)
    if ours is None or line.value in {ours, ""}:
        return None
    return ForeignSetting(line.place, line.name, line.value, f"which wins over our {ours}", wins=True)


def _wins(line: Assignment, declared: DesiredEnvironment, last: bool) -> bool:
    """Over ours: what a file says over what the unit says, else the later one (systemd.exec(5), EnvironmentFile=)."""
    from_file, ours_from_file = line.kind == "EnvironmentFile", line.name in declared.secret
    return last if from_file == ours_from_file else from_file


def _find_variable_conflict(line: Assignment, declared: DesiredEnvironment, wins: bool) -> ForeignSetting | None:
    if line.name not in declared.values:
        fate = "which is not declared, and moves the models"
        moves = line.name in {"OLLAMA_MODELS", "HOME"}
        return ForeignSetting(line.place, line.name, line.value, fate, wins=True, is_variable=moves) if moves else None
    if means_same(line.name, declared.values[line.name], line.value):
        return None
    fate = f"which {'wins over' if wins else 'gives way to'} the declared {declared.shown(line.name)}"
    return ForeignSetting(line.place, line.name, line.value, fate, wins, is_variable=True)


def find_models_directory(service: Service) -> tuple[str, str] | None:
    """(directory, FILE:LINE) of the models of a unit that is not ours, as its files say; None where they don't."""
    texts = [each for each in (service.fragment, *service.drop_ins) if each is not None and not each.ours]
    found = [line for text in texts for line in read_assignments(service, text)]
    named = [line for line in found if line.kind in {"Environment", "EnvironmentFile"} and line.name == "OLLAMA_MODELS"]
    named.sort(key=lambda line: line.kind == "EnvironmentFile")  # stable: of a kind the last one counts
    if named and named[-1].value:
        return named[-1].value.rstrip("/"), named[-1].place
    if service.fragment is None or service.fragment.ours:
        return None
    homes = [line for line in found if line.kind == "Environment" and line.name == "HOME"]
    if homes:
        return f"{homes[-1].value}/.ollama/models", homes[-1].place
    users = [line for line in found if line.kind == "User" and line.value in service.homes]
    return (f"{service.homes[users[-1].value]}/.ollama/models", users[-1].place) if users else None


def find_user(service: Service) -> str:
    """The account that a unit of somebody else's runs as."""
    texts = (service.fragment, *service.drop_ins)
    named = [line.value for text in texts if text for line in read_assignments(service, text) if line.kind == "User"]
    return (named[-1] if named else "") or "root"
