"""Types for dictionaries of variables. All invalid variables are reported at once, each by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from fleethands.settings.schema import ollama_env, openhands_env
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
