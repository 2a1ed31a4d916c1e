"""Describes a setting once, for messages, docs/reference/settings.md and the inventory of `fleethands init`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class About:
    """
    One setting, in words.

    + meaning: what it is
    + form: what it takes, as it stands behind `expected`
    + why: why one would change it
    + example: a value that is not the default
    + unit: what a number counts
    + derived: the default, where it follows from something else
    """

    meaning: str
    form: str
    why: str
    example: Any
    unit: str = ""
    derived: str = ""


def about(field: FieldInfo) -> About:
    """What is said of a field. Raises LookupError for one of which nothing is."""
    return next(each for each in _flat(field) if isinstance(each, About))


def _flat(field: FieldInfo) -> list[Any]:
    found = [each for each in field.metadata if isinstance(each, About)]
    if not found:
        raise LookupError(f"a setting that nothing is said of: {field!r}")
    return found
