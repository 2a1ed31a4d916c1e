"""Facts as JSON, without secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class HasSecrets(Protocol):
    """A dataclass of facts whose fields may contain secrets."""

    def public_fields(self, secrets: Collection[str]) -> Mapping[str, Any]:
        """
        Its fields by name, without what must not be shown.

        + secrets: names of environment variables that are declared secret
        """


def to_json(value: Any, secrets: Collection[str]) -> Any:
    """
    A fact in JSON's own types. A dataclass becomes an object with the names of its fields, bytes their size and sha256.

    + secrets: names of environment variables that are declared secret

    Example: `to_json(Release("ab12", intact=True), ())` is `{"sha256": "ab12", "intact": True, "variant": "whole"}`.
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = value.public_fields(secrets) if isinstance(value, HasSecrets) else all_fields(value)
    if isinstance(value, bytes):
        return {"size": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, Mapping):
        return {str(key): to_json(each, secrets) for key, each in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(to_json(each, secrets) for each in value)
    if isinstance(value, tuple | list):
        return [to_json(each, secrets) for each in value]
    return value


def all_fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name."""
    return {each.name: getattr(value, each.name) for each in fields(value)}
