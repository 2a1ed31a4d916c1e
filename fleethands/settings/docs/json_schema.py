"""
The settings as JSON Schema (2020-12), for editors and CI.

Each schema accepts what the validators accept. It refuses old names, wrong types, and texts that match no pattern.
Misspelled names, relations between settings, and files on this machine are for `fleethands check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from pydantic.fields import FieldInfo

from fleethands.settings.docs.variables_schema import (
    SECRET,
    backend_addresses,
    names_of_clients,
    ollama_variables,
    openhands_variables,
)
from fleethands.settings.host import HostSettings
from fleethands.settings.renamed import OLD_SETTINGS, Renamed
from fleethands.settings.schema.describe import describe
from fleethands.settings.schema.json_forms import MODEL, PORT, Form
from fleethands.settings.schema.models import Model
from fleethands.settings.serialize import SECRET_KEYS
from fleethands.settings.values.names import ListenAddress, ModelName
from fleethands.settings.values.secret import Secret
from fleethands.settings.values.yaml_secret import to_yaml

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SETTINGS: Form = {"$ref": "#/$defs/Settings"}
CONNECTION: dict[str, Form] = {
    "ansible_host": {"type": "string", "description": "The address or name that SSH connects to."},
    "ansible_port": {"anyOf": [PORT, {"type": "string"}], "description": "The port of SSH."},
    "ansible_user": {"type": "string", "description": "The user that SSH logs in as: root, or a user with sudo."},
    "ansible_connection": {"type": "string", "description": "`ssh`, or `local` for this machine."},
    "ansible_ssh_private_key_file": {"type": "string", "description": "The private key for SSH."},
    "ansible_ssh_common_args": {"type": "string", "description": "Options for ssh, such as `-J user@jump-host`."},
}


def settings_schema() -> Form:
    """The schema of one host's settings as a JSON object. Other names are allowed, because other programs have data."""
    return _document("Settings of fleethands", {"allOf": [SETTINGS]})


def variables_schema() -> Form:
    """The schema of a file in Ansible's group_vars or host_vars: settings, and variables of Ansible and of roles."""
    return _document("Variables of an Ansible group or host", {"anyOf": [{"type": "null"}, _variables()]})


def inventory_schema() -> Form:
    """The schema of an Ansible inventory in YAML."""
    group, hosts = {"$ref": "#/$defs/Group"}, {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Variables"}]}
    whole = {
        "type": ["object", "null"],
        "properties": {"plugin": False, "_meta": False},
        "additionalProperties": group,
    }
    rows = {"type": ["object", "string", "null"]}
    parts = {
        "hosts": {**rows, "description": "Hosts by name, each with its variables.", "additionalProperties": hosts},
        "vars": {"anyOf": hosts["anyOf"], "description": "Variables of every host in the group."},
        "children": {**rows, "description": "Groups in this group.", "additionalProperties": group},
    }
    own = {"type": ["object", "null"], "properties": parts, "additionalProperties": False}
    return _document("An Ansible inventory with settings of fleethands", whole, Group=own, Variables=_variables())


def _document(title: str, whole: Form, **more: Form) -> Form:
    generated = HostSettings.model_json_schema()
    properties = {name: _setting(name, field, generated) for name, field in HostSettings.model_fields.items()}
    old = {name: _old_name(each) for name, each in OLD_SETTINGS.items()}
    settings = {"type": "object", "properties": {**properties, **old}}
    definitions = {"Settings": settings, "Model": _model(generated), "Secret": SECRET, **more}
    return {"$schema": DIALECT, "title": title, **whole, "$defs": definitions}


def _setting(name: str, field: FieldInfo, generated: Form) -> Form:
    found = _described(field, generated["properties"][name])
    if name == "models":
        found["items"] = {"anyOf": [MODEL, {"$ref": "#/$defs/Model"}]}
    variables = {
        "ollama_env": ollama_variables,
        "openhands_env": openhands_variables,
        "gateway_tokens": names_of_clients,
        "gateway_backends": backend_addresses,
        "gateway_people": names_of_clients,
    }
    if name in SECRET_KEYS:
        found["anyOf"] = [{"$ref": "#/$defs/Secret"}, *filter(None, found["anyOf"])]
    return {**found, **variables[name]()} if name in variables else found


def _model(generated: Form) -> Form:
    definition = generated["$defs"]["Model"]
    properties = {name: _described(field, definition["properties"][name]) for name, field in Model.model_fields.items()}
    return {"type": "object", "properties": properties, "required": ["name"], "additionalProperties": False}


def _described(field: FieldInfo, form: Form) -> Form:
    said = describe(field)
    unit = f" In {said.unit}." if said.unit else ""
    default = f" Default: {said.default}." if said.default else ""
    found: Form = {key: value for key, value in form.items() if key not in {"title", "default"}}
    found["description"] = f"{said.summary}{unit}{default} Change it {said.change}."
    if not said.default and not field.is_required():
        found["default"] = to_json(field.get_default())
    found["examples"] = [to_json(said.example)]
    return found


def _old_name(old: Any) -> Form:
    advice = f"Renamed to `{old.new}`." if isinstance(old, Renamed) else f"Removed: {old.advice}."
    return {"not": {}, "deprecated": True, "description": advice}


def _variables() -> Form:
    return {"type": "object", "allOf": [SETTINGS], "properties": CONNECTION}


def to_json(value: object) -> Any:
    """A value of a setting as YAML and JSON have it."""
    if isinstance(value, ListenAddress | ModelName | PurePath):
        return str(value)
    if isinstance(value, Secret):
        return to_yaml(value)
    if isinstance(value, list | tuple):
        return [to_json(each) for each in value]
    return {key: to_json(each) for key, each in value.items()} if isinstance(value, Mapping) else value
