"""Secrets in YAML and JSON: `{secret_env: NAME}`, `{secret_file: PATH}`, `{secret_command: …}`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from fleethands.settings.expected import InvalidValue
from fleethands.settings.values.secret import Secret

KINDS = {"secret_env": "env", "secret_file": "file", "secret_command": "command"}  # key in YAML → kind
FORM = "a secret such as `{secret_env: NAME}`"


def is_secret(value: object) -> bool:
    """Whether a value is written as a secret, correctly or not."""
    return isinstance(value, Mapping) and any(_nearest(key) for key in value)


def parse_secret(value: Mapping[Any, object]) -> Secret:
    """
    The secret that a mapping describes. Raises InvalidValue.

    Example: `parse_secret({"secret_env": "API_KEY"})` is `Secret.env("API_KEY")`.
    """
    ((key, place), *others) = value.items()
    if others:
        raise InvalidValue(f"one key in a secret, such as `{{secret_env: NAME}}`, got {len(value)}")
    if key not in KINDS:
        raise InvalidValue(f"`{_nearest(key)}`, got `{key}`")
    if key == "secret_command" and isinstance(place, list) and place and all(isinstance(word, str) for word in place):
        return Secret.command(place)
    if not isinstance(place, str) or not place.strip():
        raise InvalidValue(f"text after `{key}:`")
    return Secret.command(place) if key == "secret_command" else Secret(KINDS[key], place)


def to_yaml(secret: Secret) -> dict[str, str]:
    """The mapping that describes a secret."""
    key = next(key for key, kind in KINDS.items() if kind == secret.kind)
    return {key: secret.place}


def _nearest(key: object) -> str:
    near = difflib.get_close_matches(str(key), KINDS, 1, 0.7)
    return near[0] if near else ""
