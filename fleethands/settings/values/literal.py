"""Values as Python in an inventory."""

from __future__ import annotations

import json

from fleethands.settings.values.secret import Secret


def literal(value: object) -> str:
    """The Python text of a value in an inventory."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(each) for each in value) + "]"
    if value is None or isinstance(value, bool | int):
        return str(value)
    if isinstance(value, Secret):
        return repr(value).replace("'", '"')
    return json.dumps(str(value), ensure_ascii=False)
