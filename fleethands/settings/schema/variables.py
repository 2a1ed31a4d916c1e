"""Types for dictionaries of variables. All invalid variables are reported at once, each by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from fleethands.settings.expected import InvalidValue
from fleethands.settings.schema import json_forms, ollama_env, openhands_env
from fleethands.settings.schema.types import BackendAddress, parse_backend
from fleethands.settings.values.secret import Secret

Check = Callable[[Any, Any], None]


def _ollama(name: Any, value: Any) -> None:
    ollama_env.check_name(name)
    if not isinstance(value, Secret):
        ollama_env.check_value(name, value)


def _openhands(name: Any, value: Any) -> None:
    openhands_env.check_name(name)
    if not isinstance(value, Secret):
        openhands_env.check_value(value)


def _client_name(name: Any) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name, re.ASCII):
        raise InvalidValue("a client's name: at most 32 lower-case letters, digits, `_` and `-`, a letter first")
    return name


def _client(name: Any, value: Any) -> None:
    _client_name(name)
    if not isinstance(value, Secret):
        raise InvalidValue("a secret, such as `Secret.env('ALICE_TOKEN')`")


def _backend(name: Any, value: Any) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", name, re.ASCII):
        raise InvalidValue("a host of the inventory: at most 63 letters, digits, `.`, `_` and `-`")
    parse_backend(value)


def check_token(value: str) -> None:
    """
    A token that a client can send in a header, and that cannot be guessed. Raises InvalidValue.

    nginx compares it with a regular expression, so it has only characters without a meaning there.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{24,200}", value, re.ASCII):
        raise InvalidValue("a token of 24 to 200 letters, digits, `_` and `-`, such as one of `openssl rand -hex 32`")


def _each(check: Check) -> Callable[[Any], Any]:
    def checked(values: Any) -> Any:
        if isinstance(values, dict) and (wrong := list(_wrong(check, values))):
            raise ValidationError.from_exception_data("variables", wrong)
        return values

    return checked


def _wrong(check: Check, values: dict[Any, Any]) -> Iterator[InitErrorDetails]:
    for name, value in values.items():
        try:
            check(name, value)
        except ValueError as error:
            kind = PydanticCustomError("value_error", "{error}", {"error": error})
            yield InitErrorDetails(type=kind, loc=(str(name),), input=value)


Value = str | int | float | bool | Secret
OBJECT = WithJsonSchema({"type": "object"})  # docs/json_schema.py has their names and values
OllamaVariables = Annotated[dict[str, Value], BeforeValidator(_each(_ollama)), OBJECT]
OpenHandsVariables = Annotated[dict[str, str | int | Secret], BeforeValidator(_each(_openhands)), OBJECT]
ClientTokens = Annotated[dict[str, Secret], BeforeValidator(_each(_client)), OBJECT]
Backends = Annotated[dict[str, BackendAddress], BeforeValidator(_each(_backend)), OBJECT]
ClientName = Annotated[str, BeforeValidator(_client_name), WithJsonSchema(json_forms.CLIENT)]
