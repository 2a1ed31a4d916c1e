"""Drops invalid values, so that the other settings can still be checked against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def drop_invalid(data: Mapping[str, Any], wrong: Sequence[tuple[int | str, ...]]) -> dict[str, Any]:
    """
    The same data without invalid values. Models keep their index.

    + wrong: locations of pydantic's errors
    """
    kept = dict(data)
    for place in wrong:
        key = str(place[0])
        value = kept.get(key)
        if key == "models" and len(place) > 1 and isinstance(value, list | tuple):
            kept[key] = _models(value, place)
        elif len(place) > 1 and isinstance(value, dict):
            kept[key] = {name: each for name, each in value.items() if str(name) != place[1]}
        else:
            kept.pop(key, None)
    return kept


def _models(models: Sequence[Any], place: tuple[int | str, ...]) -> list[Any]:
    index = int(place[1])
    kept = list(models)
    stand_in = f"stand-in-{index}"
    if len(place) == 2 or not isinstance(kept[index], dict):
        kept[index] = stand_in
    else:
        kept[index] = {key: value for key, value in kept[index].items() if key != place[2]}
        kept[index].setdefault("name", stand_in)
    return kept
