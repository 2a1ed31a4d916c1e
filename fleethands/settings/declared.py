"""Settings as a host keeps them, and back: plain JSON, in which a secret is the place that it is read from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from fleethands.settings.host import HostSettings, Model
from fleethands.settings.keys import Keys
from fleethands.settings.secret import Secret
from fleethands.settings.values import Address, ModelName

SECRET = "secret"  # noqa: S105  the key of a dictionary that stands for one


def written(settings: HostSettings) -> dict[str, Any]:
    """
    Every key of a host, its defaults among them: another release of fleethands may have others.

    `None` is left out: it means as found, or upstream's own. So is what a lock adds: it is not what was declared.
    """
    return {key: _plain(value) for key, value in _items(settings.as_declared) if value is not None}


def host_data(document: Mapping[str, Any]) -> dict[str, Any]:
    """The host data that `written` was made of, for `read_fleet`. Raises ValueError for what it never writes."""
    return {str(key): _variables(value) if isinstance(value, dict) else value for key, value in document.items()}


def _items(keys: Keys) -> list[tuple[str, Any]]:
    return [(name, getattr(keys, name)) for name in type(keys).model_fields]


def _plain(value: Any) -> Any:
    if isinstance(value, Address | ModelName | PurePosixPath):
        return str(value)
    if isinstance(value, Secret):
        return {SECRET: value.kind, "place": value.place}
    if isinstance(value, Model):
        return {key: _plain(each) for key, each in _items(value) if each is not None}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return value


def _variables(values: dict[str, Any]) -> dict[str, Any]:
    return {key: _secret(value) if isinstance(value, dict) else value for key, value in values.items()}


def _secret(row: dict[str, Any]) -> Secret:
    kinds = {"env": Secret.env, "file": Secret.file}
    if set(row) != {SECRET, "place"} or row[SECRET] not in kinds:
        raise ValueError("a secret of a kind that is not known here")
    return kinds[row[SECRET]](str(row["place"]))
