"""What an inventory has to say to keep what an Ollama of somebody else's sets."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from fleethands.operations.ollama.existing_install import ForeignSetting, mask_value
from fleethands.settings import HostSettings
from fleethands.settings.expected import InvalidValue
from fleethands.settings.schema.ollama_env import SETTINGS, UnknownVariable, is_known
from fleethands.settings.schema.ollama_env_releases import find_unread
from fleethands.settings.values.envconfig import parse_listen_address, parse_meaning, to_setting
from fleethands.settings.values.secret import MASK

DROP_IN = "on the host: systemctl edit ollama"


def settings_hints(theirs: Sequence[ForeignSetting], settings: HostSettings) -> Iterator[str]:
    """One line for each setting, one for all variables together, and what no setting can say."""
    variables: dict[str, str] = {}
    unsaid: dict[str, str] = {}
    for each in theirs:
        if not each.is_variable:
            continue
        try:
            key, value = _as_setting(each, settings.ollama_version)
        except (InvalidValue, UnknownVariable) as error:
            unsaid[each.name] = _no_setting_hint(each, error)
            continue
        if isinstance(value, dict):
            variables |= value
        else:
            yield f"to keep that setting, declare {json.dumps(key)}: {json.dumps(value)}"
    if variables:
        pairs = ", ".join(f"{json.dumps(name)}: {literal}" for name, literal in variables.items())
        add = "add to what `ollama_env` has" if settings.ollama_env else "declare"
        which = "that setting" if len(variables) == 1 else "those variables"
        yield f'to keep {which}, {add} "ollama_env": {{{pairs}}}'
    yield from unsaid.values()


def _as_setting(theirs: ForeignSetting, release: str) -> tuple[str, Any]:
    """Key and value; those of a variable as they stand in a dictionary."""
    for _, why in find_unread([theirs.name], release) if theirs.name not in SETTINGS else ():
        raise UnknownVariable(why)
    if mask_value(theirs.name, theirs.value) != MASK:
        key, value = to_setting(theirs.name, theirs.value)
        return key, {theirs.name: json.dumps(value[theirs.name])} if isinstance(value, dict) else value
    if not is_known(theirs.name):
        raise UnknownVariable("a value that may be secret")
    return "ollama_env", {theirs.name: f'Secret.env("{theirs.name}")'}


def _no_setting_hint(theirs: ForeignSetting, error: ValueError) -> str:
    if theirs.name == "OLLAMA_HOST" and parse_meaning(theirs.name, theirs.value):
        name = shlex.quote(parse_listen_address(theirs.value.strip().strip("\"'"))[0])
        return f"`ollama_host` takes an address and no name; which one that is, on the host: getent ahosts {name}"
    if is_known(theirs.name):
        return f"no setting says {theirs.name}={theirs.value}: {error}"
    return f"{theirs.name} has no setting; to keep it, put it into a drop-in of your own, {DROP_IN}"
