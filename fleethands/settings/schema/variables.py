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


def check_client_name(name: Any, form: str = "a client's name") -> str:
    """A name that nginx and its log can hold. Raises InvalidValue."""
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name, re.ASCII):
        raise InvalidValue(f"{form}: at most 32 lower-case letters, digits, `_` and `-`, a letter first")
    return name


def _client(name: Any, value: Any) -> None:
    check_client_name(name)
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


def check_each(check: Check) -> Callable[[Any], Any]:
    """A check of a whole dictionary, by a check of one name and its value."""

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
OllamaVariables = Annotated[dict[str, Value], BeforeValidator(check_each(_ollama)), OBJECT]
OpenHandsVariables = Annotated[dict[str, str | int | Secret], BeforeValidator(check_each(_openhands)), OBJECT]
ClientTokens = Annotated[dict[str, Secret], BeforeValidator(check_each(_client)), OBJECT]
Backends = Annotated[dict[str, BackendAddress], BeforeValidator(check_each(_backend)), OBJECT]
ClientName = Annotated[str, BeforeValidator(check_client_name), WithJsonSchema(json_forms.CLIENT)]
