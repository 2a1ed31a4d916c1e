"""Compares versions of packages (deb-version(7))."""

from __future__ import annotations

import re
from functools import cmp_to_key
from itertools import zip_longest

RELATIONS = {
    "<<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    "=": lambda order: order == 0,
    ">=": lambda order: order >= 0,
    ">>": lambda order: order > 0,
    "<": lambda order: order <= 0,  # obsolete forms, with the meaning that dpkg gives them
    ">": lambda order: order >= 0,
}
_RUNS = re.compile(r"([^0-9]*)([0-9]*)")


def compare_versions(one: str, other: str) -> int:
    """Below 0 if `one` is older, 0 if both are equal, above 0 if it is newer."""
    (epoch, upstream, revision), (epoch2, upstream2, revision2) = _split(one), _split(other)
    return (epoch - epoch2) or _compare(upstream, upstream2) or _compare(revision, revision2)


version_key = cmp_to_key(compare_versions)


def fits(version: str, relation: str, wanted: str) -> bool:
    """Whether a version satisfies a relation such as `>=`."""
    return RELATIONS[relation](compare_versions(version, wanted))


def _split(version: str) -> tuple[int, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    return (int(epoch) if epoch.isdigit() else 0), upstream if dash else rest, revision if dash else ""


def _compare(one: str, other: str) -> int:
    for (text, number), (text2, number2) in zip_longest(_RUNS.findall(one), _RUNS.findall(other), fillvalue=("", "")):
        for char, char2 in zip_longest(text, text2, fillvalue=""):
            if order := _rank(char) - _rank(char2):
                return order
        if order := int(number or 0) - int(number2 or 0):
            return order
    return 0


def _rank(char: str) -> int:
    """`~` is before the end, the end before letters, letters before all else."""
    if char == "~":
        return -1
    if not char:
        return 0
    return ord(char) if char.isalpha() else ord(char) + 256
