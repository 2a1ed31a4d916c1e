"""Finds the variables of an Ansible inventory that are settings of fleethands."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from typing import Any

from fleethands.fleet.ansible.place import Variable
from fleethands.fleet.ansible.tree import PRIORITY
from fleethands.fleet.ansible.yaml_file import Unsafe, Vault
from fleethands.settings import HostSettings
from fleethands.settings.expected import InvalidValue
from fleethands.settings.renamed import OLD_SETTINGS
from fleethands.settings.serialize import SECRET_DICTIONARIES, SECRET_KEYS
from fleethands.settings.validation.unknown_keys import PREFIXES, suspicious_keys
from fleethands.settings.values.yaml_secret import is_secret, parse_secret

MISSPELLED = 0.9  # similarity below which a name with our prefixes may belong to a role
ENCRYPTED = "encrypted by Ansible's vault, and not read"
BRACES = ("{{", "{%", "{#")
BOOLEANS = {"true": True, "false": False}  # in an INI file Ansible reads them as text, until a playbook uses `| bool`


def is_relevant(name: str) -> bool:
    """Whether a variable is read at all: a setting, a similar name, or a part of a connection."""
    connects = name.startswith("ansible_") and name != PRIORITY
    return name in HostSettings.model_fields or name in OLD_SETTINGS or connects or bool(_suspected(name))


def is_own_variable(name: str) -> bool:
    """Whether a variable becomes host data: a setting, also by an old name, or certainly a misspelled one."""
    return name in HostSettings.model_fields or name in OLD_SETTINGS or (name.startswith(PREFIXES) and _is_near(name))


def warnings(variables: Mapping[str, Variable]) -> list[str]:
    """Warnings about variables that only resemble a setting: they may belong to a role."""
    found = []
    for name, variable in variables.items():
        if not is_own_variable(name) and (problem := _suspected(name)):
            found.append(f"{variable.place}: `{name}` is left to Ansible: {problem}")
    return found


@cache
def _suspected(name: str) -> str:
    return next((problem for _, problem in suspicious_keys([name])), "")


@cache
def _is_near(name: str) -> bool:
    return bool(difflib.get_close_matches(name, HostSettings.model_fields, 1, cutoff=MISSPELLED))


def problem_of(value: Any) -> str:
    """Why only Ansible can read a value; empty if fleethands can."""
    if isinstance(value, Vault):
        return ENCRYPTED
    if isinstance(value, dict):
        return next((found for each in value.items() for part in each if (found := problem_of(part))), "")
    if isinstance(value, list | tuple | set):
        return next((found for each in value if (found := problem_of(each))), "")
    if isinstance(value, str) and not isinstance(value, Unsafe) and any(mark in value for mark in BRACES):
        return "a Jinja expression, which only Ansible can evaluate"
    return ""


def setting(key: str, variable: Variable) -> Any:
    """The value of a setting for host data, with its secrets. Raises ValueError for a secret that is not one."""
    value = plain(variable)
    if key in SECRET_KEYS:
        return _with_secret(key, value)
    if key not in SECRET_DICTIONARIES or not isinstance(value, dict):
        return value
    return {name: _with_secret(name, each) for name, each in value.items()}


def _with_secret(name: str, value: Any) -> Any:
    if not is_secret(value):
        return value
    try:
        return parse_secret(value)
    except InvalidValue as error:
        raise ValueError(f"`{name}`: {error}") from None


def plain(variable: Variable) -> Any:
    """The value for host data."""
    value = variable.value
    if isinstance(value, str) and variable.place.file.suffix not in {".yml", ".yaml", ".json"}:
        return BOOLEANS.get(value.lower(), value)
    return _untagged(value)


def _untagged(value: Any) -> Any:
    if isinstance(value, Unsafe):
        return str(value)
    if isinstance(value, dict):
        return {_untagged(key): _untagged(each) for key, each in value.items()}
    return [_untagged(each) for each in value] if isinstance(value, list) else value
