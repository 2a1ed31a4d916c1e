"""What differs between two release records: settings, versions and digests. Secrets are never in a record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleethands.facts.record import Record
from fleethands.settings.serialize import ENVIRONMENTS, SECRET
from fleethands.settings.values.secret import MASK
from fleethands.untrusted import printable

LONGEST_VALUE = 300  # characters
PRIVATE = ("KEY", "PROXY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")  # in the name of a variable


@dataclass(frozen=True)
class Difference:
    """
    One value that differs.

    + path: such as `ollama_keep_alive` or `versions.models.codellama:7b`
    + before, after: as JSON; None for a value that only the other record has
    """

    path: str
    before: str | None
    after: str | None


def diff_records(before: Record, after: Record) -> list[Difference]:
    """
    What differs, sorted by path.

    Example: `Difference("ollama_version", '"0.24.0"', '"0.24.1"')`.
    """
    old, new = (dict(_flatten_record(each)) for each in (before, after))
    differing = sorted(path for path in old.keys() | new.keys() if old.get(path, ...) != new.get(path, ...))
    return [Difference(printable(path), _show(path, old), _show(path, new)) for path in differing]


def _flatten_record(record: Record) -> Iterator[tuple[str, Any]]:
    for key, value in record.declared.items():
        yield from _flatten(key, value)
    yield from _flatten("versions", record.versions)


def _flatten(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Each value that is not an object, with its path. A list of objects with names counts as an object."""
    if isinstance(value, list) and value and all(isinstance(each, dict) and "name" in each for each in value):
        value = {str(each["name"]): {key: inner for key, inner in each.items() if key != "name"} for each in value}
    if not isinstance(value, Mapping) or SECRET in value or not value:
        yield path, value
        return
    for key, each in value.items():
        yield from _flatten(f"{path}.{key}", each)


def _show(path: str, values: Mapping[str, Any]) -> str | None:
    if path not in values:
        return None
    value = values[path]
    if isinstance(value, Mapping) and SECRET in value:
        return printable(f"Secret.{value[SECRET]}({json.dumps(value.get('place'))})", LONGEST_VALUE)
    key, _, variable = path.partition(".")
    if key in ENVIRONMENTS and any(word in variable.upper() for word in PRIVATE):
        return MASK  # its author may not have declared it as a secret
    return printable(json.dumps(value, ensure_ascii=False), LONGEST_VALUE)
