"""The lines to add to an inventory to keep the settings of a foreign Ollama."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from fleethands.operations.ollama.foreign_settings import ForeignSetting
from fleethands.operations.ollama.unit_assignments import mask_value
from fleethands.settings import HostSettings
from fleethands.settings.expected import InvalidValue
from fleethands.settings.schema.ollama_env import SETTINGS, UnknownVariable, is_known
from fleethands.settings.schema.ollama_env_releases import find_unread
from fleethands.settings.values.envconfig import parse_listen_address, parse_meaning, to_setting
from fleethands.settings.values.secret import MASK

DROP_IN = "on the host: systemctl edit ollama"


def settings_hints(found: Sequence[ForeignSetting], settings: HostSettings) -> Iterator[str]:
    """One hint for each setting, one for all variables together, and one for each variable without a setting."""
    variables: dict[str, str] = {}
    without_setting: dict[str, str] = {}
    for each in found:
        if not each.is_variable:
            continue
        try:
            key, value = _as_setting(each, settings.ollama_version)
        except (InvalidValue, UnknownVariable) as error:
            without_setting[each.name] = _no_setting_hint(each, error)
            continue
        if isinstance(value, dict):
            variables |= value
        else:
            yield f"to keep that setting, declare {json.dumps(key)}: {json.dumps(value)}"
    if variables:
        yield _variables_hint(variables, is_first=not settings.ollama_env)
    yield from without_setting.values()


def _variables_hint(variables: dict[str, str], is_first: bool) -> str:
    pairs = ", ".join(f"{json.dumps(name)}: {literal}" for name, literal in variables.items())
    which = "that setting" if len(variables) == 1 else "those variables"
    verb = "declare" if is_first else "add to what `ollama_env` has"
    return f'to keep {which}, {verb} "ollama_env": {{{pairs}}}'


def _as_setting(foreign: ForeignSetting, release: str) -> tuple[str, Any]:
    """Key and value; for a variable, the value as a Python literal in a dictionary."""
    for _, why in find_unread([foreign.name], release) if foreign.name not in SETTINGS else ():
        raise UnknownVariable(why)
    if mask_value(foreign.name, foreign.value) != MASK:
        key, value = to_setting(foreign.name, foreign.value)
        return key, {foreign.name: json.dumps(value[foreign.name])} if isinstance(value, dict) else value
    if not is_known(foreign.name):
        raise UnknownVariable("a value that may be secret")
    return "ollama_env", {foreign.name: f'Secret.env("{foreign.name}")'}


def _no_setting_hint(foreign: ForeignSetting, error: ValueError) -> str:
    if foreign.name == "OLLAMA_HOST" and parse_meaning(foreign.name, foreign.value):
        name = shlex.quote(parse_listen_address(foreign.value.strip().strip("\"'"))[0])
        return f"`ollama_host` takes an address and no name; which one that is, on the host: getent ahosts {name}"
    if is_known(foreign.name):
        return f"no setting says {foreign.name}={foreign.value}: {error}"
    return f"{foreign.name} has no setting; to keep it, put it into a drop-in of your own, {DROP_IN}"
