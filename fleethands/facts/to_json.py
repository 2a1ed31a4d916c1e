"""A host's state as JSON takes it, without its secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from fleethands.settings.schema.ollama_env import is_known
from fleethands.settings.values.secret import MASK

DIGEST = "fleethands.spec"  # label of a container: digest of all that it was made from


def to_json(value: Any, secrets: Collection[str]) -> Any:
    """
    A value in JSON's own types.

    A file's content becomes its size and sha256, a secret variable's value a mask. Of what is not for everybody to read
    there is neither: by a digest one could try out what a secret is, and a size says how long it is.
    """
    if is_dataclass(value) and not isinstance(value, type):
        found = {each.name: getattr(value, each.name) for each in fields(value)}
        if "environment" in found:
            found["environment"] = _environment(found["environment"], secrets)
        if not getattr(value, "is_public", True):
            found["content"] = None
        if "labels" in found:
            found["labels"] = {name: each for name, each in found["labels"].items() if name != DIGEST}
        return {key: to_json(each, secrets) for key, each in found.items()}
    if isinstance(value, bytes):
        return {"size": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, Mapping):
        return {str(key): to_json(each, secrets) for key, each in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(to_json(each, secrets) for each in value)
    if isinstance(value, tuple | list):
        return [to_json(each, secrets) for each in value]
    return value


def _environment(variables: Mapping[str, str], secrets: Collection[str]) -> dict[str, str]:
    return {
        name: MASK if name in secrets or "KEY" in name.upper() or "PROXY" in name.upper() else value
        for name, value in sorted(variables.items())
        if is_known(name)
    }
