"""Turns pydantic's errors into messages with the expected value, the actual one and the nearest valid one."""

from __future__ import annotations

import difflib
import re
from typing import Any

from fleethands.settings.expected import InvalidValue, WrongType
from fleethands.settings.host import HostSettings
from fleethands.settings.schema.describe import Description, describe
from fleethands.settings.schema.models import Model
from fleethands.settings.validation.errors import mask_userinfo, show_value
from fleethands.settings.validation.unknown_keys import describe_unknown


def describe_error(path: str, detail: Any) -> str:
    """
    Describe what is wrong with the setting at a path.

    + detail: one of `ValidationError.errors()`
    """
    value = detail["input"]
    got = show_value(path, value)
    if detail["type"] == "extra_forbidden":
        return mask_userinfo(
            f"{describe_unknown('key of a model', str(detail['loc'][-1]), Model.model_fields)}, got {got}", value
        )
    if detail["type"] == "missing":
        return "expected a model's name, such as `codellama:7b`"
    return mask_userinfo(_refused(path, detail, value, got), value)


def _refused(path: str, detail: Any, value: object, got: str) -> str:
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, InvalidValue) and not isinstance(error, WrongType):
        return error.got(got)
    if isinstance(error, ValueError) and not isinstance(error, WrongType):
        return f"{error}, got {got}"
    form = _form(detail["loc"])
    return f"expected {form}, got {got}{_nearest(detail, value)}"


def _description(place: tuple[int | str, ...]) -> Description:
    """The description of the setting, or of the model's key, at a place."""
    if place[0] == "models" and len(place) > 2 and place[2] in Model.model_fields:
        return describe(Model.model_fields[str(place[2])])
    return describe(HostSettings.model_fields[str(place[0])])


def _form(place: tuple[int | str, ...]) -> str:
    if place[0] == "models" and len(place) == 2:
        return "a model's name or a dictionary"
    if isinstance(place[-1], int):
        return "text"
    description = _description(place)
    example = f", such as `{description.example}`" if isinstance(description.example, list | dict) else ""
    return f"{description.accepts}{example}".replace("'", '"')


def _nearest(detail: Any, value: object) -> str:
    if detail["type"] != "literal_error":
        return ""
    words = re.findall(r"'([^']+)'", detail["ctx"]["expected"])
    near = difflib.get_close_matches(str(value).lower(), words, 1, cutoff=0.5)
    return f", nearest is `{near[0]}`" if near else ""
