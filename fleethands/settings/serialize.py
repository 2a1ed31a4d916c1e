"""
Settings as a host keeps them, and back: plain JSON, in which a secret is the place that it is read from.

What a host keeps, its root can write. So on the way back nothing in it names a place on the controller: a secret or a
Modelfile counts only where the inventory of now declares the very same, and it is the inventory's that is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from fleethands.settings.expected import InvalidValue
from fleethands.settings.host import HostSettings, Model
from fleethands.settings.schema import Keys
from fleethands.settings.values.names import ListenAddress, ModelName
from fleethands.settings.values.secret import Secret

ENVIRONMENTS = ("ollama_env", "openhands_env")  # the keys whose values may be secrets
SECRET = "secret"  # noqa: S105  the key of a dictionary that stands for one


class UndeclaredPlaces(ValueError):
    """Places on the controller that a host's record names and the inventory does not: (key, what it names) of each."""

    def __init__(self, places: Sequence[tuple[str, str]]) -> None:
        self.places = tuple(places)
        super().__init__("; ".join(f"{said} for `{key}`" for key, said in self.places))


def to_json(settings: HostSettings) -> dict[str, Any]:
    """
    Every key of a host, its defaults among them: another release of fleethands may have others.

    `None` is left out: it means as found, or upstream's own. So is what a lock adds: it is not what was declared.
    """
    return {key: _plain(value) for key, value in _items(settings.without_pins) if value is not None}


def from_json(document: Mapping[str, Any], today: HostSettings) -> dict[str, Any]:
    """
    The host data that `written` was made of, for `read_fleet`.

    + today: what the inventory declares for this host

    Raises UndeclaredPlaces for a secret or a Modelfile that is not declared today for the same variable or model.
    """
    wrong: list[tuple[str, str]] = []
    data = {str(key): value for key, value in document.items()}
    for key in ENVIRONMENTS:
        if isinstance(values := data.get(key), dict):
            data[key] = _variables(key, values, getattr(today, key), wrong)
    if isinstance(models := data.get("models"), list):
        data["models"] = [_model(index, each, today, wrong) for index, each in enumerate(models)]
    if wrong:
        raise UndeclaredPlaces(wrong)
    return data


def _items(keys: Keys) -> list[tuple[str, Any]]:
    return [(name, getattr(keys, name)) for name in type(keys).model_fields]


def _plain(value: Any) -> Any:
    if isinstance(value, ListenAddress | ModelName | PurePosixPath):
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


def _variables(
    key: str, values: dict[str, Any], today: Mapping[str, Any], wrong: list[tuple[str, str]]
) -> dict[str, Any]:
    """The same variables, with the inventory's own secrets in place of what stands for them."""
    found = dict(values)
    for name, value in values.items():
        if not isinstance(value, dict):
            continue
        declared = today.get(name)
        if isinstance(declared, Secret) and _plain(declared) == value:
            found[name] = declared
        else:
            wrong.append((f"{key}.{name}", _describe_secret(value)))
    return found


def _describe_secret(row: Mapping[str, Any]) -> str:
    kind, place = row.get(SECRET), row.get("place")
    if kind in ("env", "file") and isinstance(place, str):
        return f"Secret.{kind}({place!r})"
    return "a secret of a kind that is not known here"


def _model(index: int, row: Any, today: HostSettings, wrong: list[tuple[str, str]]) -> Any:
    """The same model; its Modelfile is one of the inventory's."""
    if not isinstance(row, dict) or row.get("modelfile") is None:
        return row
    declared = [each for each in today.models if each.modelfile is not None and each.modelfile == row["modelfile"]]
    if any(each.name == _model_name(row.get("name")) for each in declared):
        return row
    wrong.append((f"models.{index}.modelfile", f"the file {row['modelfile']!r}"))
    return row


def _model_name(value: Any) -> ModelName | None:
    try:
        return ModelName.parse(value) if isinstance(value, str) else None
    except InvalidValue:
        return None
