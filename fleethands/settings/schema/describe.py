"""Describes a setting once, for messages, docs/settings.md and the inventory of `fleethands init`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Description:
    """
    One setting in plain English.

    + summary: one or two sentences
    + accepts: the values, worded to follow "expected"
    + change: a reason for another value, worded to follow "Change it"
    + example: a value that is not the default
    + unit: what a number counts
    + default: the default, where it depends on other settings or on the host
    """

    summary: str
    accepts: str
    change: str
    example: Any
    unit: str = ""
    default: str = ""


def describe(field: FieldInfo) -> Description:
    """The description of a field. Raises LookupError for a field without one."""
    for each in field.metadata:
        if isinstance(each, Description):
            return each
    raise LookupError(f"a setting without a description: {field!r}")
