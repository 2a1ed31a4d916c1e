"""
Settings as JSON for a host's release record, and back. A secret is stored as the place that it is read from.

The host's root can change its record. So a record never decides what is read on the controller: a secret or a Modelfile
counts only if today's inventory declares the same one, and the inventory's is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from fleethands.settings.expected import InvalidValue
from fleethands.settings.host import HostSettings
from fleethands.settings.schema import Keys
from fleethands.settings.schema.downloads import DownloadKeys
from fleethands.settings.schema.gateway import GatewayKeys
from fleethands.settings.schema.gateway_acme import GatewayAcmeKeys
from fleethands.settings.schema.gateway_page import GatewayPageKeys
from fleethands.settings.schema.metrics import MetricsKeys
from fleethands.settings.schema.models import Model
from fleethands.settings.schema.sentinel import SECRETS, SentinelKeys
from fleethands.settings.schema.sites import SiteKeys
from fleethands.settings.values.names import ListenAddress, ModelName
from fleethands.settings.values.secret import Secret

ENVIRONMENTS = ("ollama_env", "openhands_env")  # the keys whose values may be secrets
# how downloads reach a host, who may use it, and what watches it: a rollback keeps today's. So it brings no revoked
# token back, and switches no sentinel off
TODAYS = (
    *DownloadKeys.model_fields,
    *SiteKeys.model_fields,
    *GatewayKeys.model_fields,
    *GatewayAcmeKeys.model_fields,
    *GatewayPageKeys.model_fields,
    *MetricsKeys.model_fields,
    *SentinelKeys.model_fields,
)
SECRET_DICTIONARIES = (*ENVIRONMENTS, "gateway_tokens", "gateway_people")
SECRET_KEYS = ("gateway_authority", "gateway_key", "gateway_backends_token", *SECRETS)
SECRET = "secret"  # noqa: S105  the key of a dictionary in the place of a secret


class UndeclaredPlaces(ValueError):
    """Secrets or Modelfiles of a host's record that the inventory does not declare: (key, description) of each."""

    def __init__(self, places: Sequence[tuple[str, str]]) -> None:
        self.places = tuple(places)
        super().__init__("; ".join(f"{said} for `{key}`" for key, said in self.places))


def to_json(settings: HostSettings) -> dict[str, Any]:
    """
    All settings of a host, defaults included, because another release of fleethands may have other defaults.

    `None` is left out, and so are the pins of the lockfile, how downloads reach the host, its gateway
    and its sentinel.
    """
    return _known(settings.without_pins, [key for key in type(settings).model_fields if key not in TODAYS])


def from_json(document: Mapping[str, Any], today: HostSettings) -> dict[str, Any]:
    """
    Host data for `read_fleet`, from the result of `to_json`.

    + today: the inventory's settings of this host

    Raises UndeclaredPlaces for a secret or a Modelfile that today's inventory does not declare for the same name.
    """
    wrong: list[tuple[str, str]] = []
    todays = {key: value for key in TODAYS if (value := getattr(today, key)) is not None}
    data = {**{str(key): value for key, value in document.items() if key not in TODAYS}, **todays}
    for key in ENVIRONMENTS:
        if isinstance(values := data.get(key), dict):
            data[key] = _variables(key, values, getattr(today, key), wrong)
    if isinstance(models := data.get("models"), list):
        data["models"] = [_model(index, each, today, wrong) for index, each in enumerate(models)]
    if wrong:
        raise UndeclaredPlaces(wrong)
    return data


def _known(settings: Keys, keys: Iterable[str]) -> dict[str, Any]:
    values = {key: getattr(settings, key) for key in keys}
    return {key: _plain(value) for key, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, ListenAddress | ModelName | PurePosixPath):
        return str(value)
    if isinstance(value, Secret):
        return {SECRET: value.kind, "place": value.place}
    if isinstance(value, Model):
        return _known(value, type(value).model_fields)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return value


def _variables(
    key: str, values: dict[str, Any], today: Mapping[str, Any], wrong: list[tuple[str, str]]
) -> dict[str, Any]:
    """The same variables, with the inventory's secrets."""
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
    if kind in ("env", "file", "command") and isinstance(place, str):
        return f"Secret.{kind}({place!r})"
    return "a secret of a kind that is not known here"


def _model(index: int, row: Any, today: HostSettings, wrong: list[tuple[str, str]]) -> Any:
    """The same model, if the inventory declares its Modelfile."""
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
