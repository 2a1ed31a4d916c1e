"""Facts as JSON, without secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Protocol, runtime_checkable

MAPPINGS = (dict, Mapping)  # Python checks the second one slowly
PLAIN = frozenset({str, int, float, bool, type(None)})


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
    kind: type = type(value)
    if kind in PLAIN:
        return value
    if _is_dataclass(kind):
        value = value.public_fields(secrets) if _has_secrets(kind) else all_fields(value)
    if isinstance(value, bytes):
        return {"size": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, MAPPINGS):
        return {
            str(key): each
            if type(each) in PLAIN
            else to_json(each, secrets)  # a call for each would take half the time
            for key, each in value.items()
        }
    if isinstance(value, frozenset | set):
        return sorted(to_json(each, secrets) for each in value)
    if isinstance(value, tuple | list):
        return [to_json(each, secrets) for each in value]
    return value


def all_fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name."""
    names, read = _reader(value.__class__)
    return dict(zip(names, read(value), strict=True))


@cache
def _is_dataclass(kind: type) -> bool:
    return is_dataclass(kind)


@cache
def _has_secrets(kind: type) -> bool:
    return issubclass(kind, HasSecrets)


@cache
def _reader(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The names of the fields of a dataclass, and a function in C that reads them all."""
    names = tuple(each.name for each in fields(kind))
    read = attrgetter(*names)
    return names, read if len(names) > 1 else lambda value: (read(value),)
