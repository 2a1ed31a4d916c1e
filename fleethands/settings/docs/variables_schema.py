"""Dictionaries of variables, and secrets, as JSON Schema."""

from __future__ import annotations

from fleethands.settings.schema import ollama_env, openhands_env
from fleethands.settings.schema.json_forms import BACKEND, CLIENT, DURATION, LISTEN, TEXT, Form

_REF: Form = {"$ref": "#/$defs/Secret"}
_PLACE: Form = {"type": "string", "minLength": 1}
SECRET: Form = {
    "description": "A value that this machine reads and that fleethands never shows.",
    "type": "object",
    "properties": {
        "secret_env": {**_PLACE, "description": "The environment variable that has the value."},
        "secret_file": {**_PLACE, "description": "The file that has the value."},
        "secret_command": {
            "description": "The command that prints the value. It runs on this machine, without a shell.",
            "anyOf": [_PLACE, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        },
    },
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}
_SCALAR: Form = {"anyOf": [TEXT, {"type": ["number", "boolean"]}, _REF]}
_KINDS: dict[str, list[Form]] = {
    ollama_env.BOOL: [
        {"type": "boolean"},
        {"enum": [0, 1, *sorted(ollama_env.GO_TRUE | ollama_env.GO_FALSE)]},
    ],
    ollama_env.UINT: [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]{1,19}$"}],
    ollama_env.LEVEL: [{"type": "boolean"}, {"enum": [0, 1, 2, "0", "1", "2"]}],
    ollama_env.DURATION: DURATION["anyOf"],
    ollama_env.TEXT: [TEXT, {"type": ["number", "boolean"]}],
}
_ELSEWHERE = ("HTTP_PROXY", "http_proxy")
_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"


def ollama_variables() -> Form:
    """The schema of `ollama_env`: variables that Ollama reads, each with its values."""
    own = {name: _variable(each) for name, each in ollama_env.VARIABLES.items()}
    elsewhere = {name: _refused(f"Use the setting `{key}`.") for name, key in ollama_env.SETTINGS.items()}
    proxies = {name: _refused("Use `HTTPS_PROXY`.") for name in _ELSEWHERE}
    numbered = "|".join(ollama_env.VARIABLES)
    prefixes = "|".join(("OLLAMA_", *ollama_env.LIBRARY_PREFIXES))
    return {
        "properties": {**own, **{name: _SCALAR for name in ollama_env.GO_VARIABLES}, **elsewhere, **proxies},
        "patternProperties": {f"^({prefixes})[A-Za-z0-9_]*$": _SCALAR, f"^({numbered})_[0-9]+$": _SCALAR},
        "additionalProperties": False,
    }


def openhands_variables() -> Form:
    """The schema of `openhands_env`: any variable, except those that follow from a setting."""
    elsewhere = {name: _refused(f"Use the setting {key}.") for name, key in openhands_env.SETTINGS.items()}
    kept = sorted(openhands_env.GENERATED | openhands_env.STATE_VARIABLES)
    return {
        "properties": {**elsewhere, **{name: _refused("fleethands sets this variable.") for name in kept}},
        "patternProperties": {_NAME: {"anyOf": [TEXT, {"type": "integer"}, _REF]}},
        "additionalProperties": False,
    }


def names_of_clients() -> Form:
    """The schema of `gateway_tokens` and `gateway_people`: a secret for each name."""
    return {"patternProperties": {CLIENT["pattern"]: _REF}, "additionalProperties": False}


def backend_addresses() -> Form:
    """The schema of `gateway_backends`: the address of each host."""
    return {"patternProperties": {BACKEND["pattern"]: LISTEN}, "additionalProperties": False}


def _variable(each: ollama_env.Variable) -> Form:
    default = f" Default: {each.default}." if each.default else ""
    return {
        "description": f"{each.meaning[0].upper()}{each.meaning[1:]}.{default}",
        "anyOf": [*_KINDS[each.kind], _REF],
    }


def _refused(advice: str) -> Form:
    return {"not": {}, "description": advice}
