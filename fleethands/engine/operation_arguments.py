"""The global arguments of an operation, found with less work than pyinfra needs (engine/pyinfra_patches.py)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cache
from typing import Any

import pyinfra.api.arguments
from pyinfra.api import Host, State
from pyinfra.api.exceptions import ArgumentTypeError
from pyinfra.api.util import raise_if_bad_type
from pyinfra.context import ctx_config


def pop_global_arguments(state: State, host: Host, kwargs: dict[str, Any]) -> tuple[Any, list[str]]:
    """The same as pyinfra's function, with the same parameters, result and errors."""
    config = ctx_config.get() if ctx_config.isset() else state.config
    known = _arguments()
    around: dict[str, Any] = host.current_deploy_kwargs or {}
    found = [key for key in known if key in kwargs]
    given = {key: kwargs.pop(key) for key in found}
    if around.keys() == known.keys():  # of a deploy, which has checked them
        defaults = around
    else:
        defaults = _defaults(config, host.data.dict())
        given = {**{key: around[key] for key in known if key in around}, **given}
    arguments = {**defaults, **given}
    for key in _handled():
        given[key] = arguments[key] = known[key][1].handler(config, arguments[key])
    for key, value in given.items():
        if value != defaults[key]:
            _check_type(key, value)
    return arguments, found


def _defaults(config: Any, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Those of host data and of pyinfra's configuration."""
    return {
        key: copy(declared[key]) if key in declared else meta.default(config) for key, (_, meta) in _arguments().items()
    }


def _check_type(key: str, value: Any) -> None:
    type_ = _arguments()[key][0]
    if type(value) is not type_ and not (key == "_env" and not value):  # the check itself takes long
        raise_if_bad_type(value, type_, ArgumentTypeError, f"Invalid argument `{key}`:")


@cache
def _arguments() -> dict[str, tuple[Any, Any]]:
    """Name → type and pyinfra's own description of each."""
    known = pyinfra.api.arguments.all_argument_meta
    return {key: (type_, known[key]) for key, type_ in pyinfra.api.arguments.all_global_arguments()}


@cache
def _handled() -> list[str]:
    """Names of those whose value is computed from the given one."""
    return [key for key, (_, meta) in _arguments().items() if meta.handler]
