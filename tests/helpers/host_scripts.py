"""The scripts that change hosts, as the operations declare them."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, get_type_hints

from fleethands import operations
from fleethands.operations.core.host_script import HostScript


def subclasses(base: type[HostScript]) -> Iterator[type[HostScript]]:
    for each in base.__subclasses__():
        yield each
        yield from subclasses(each)


def host_scripts() -> list[type[HostScript]]:
    for module in pkgutil.walk_packages(operations.__path__, f"{operations.__name__}."):
        import_module(module.name)
    return [each for each in subclasses(HostScript) if each.script_file]


def variable_names(kind: Any) -> Iterator[str]:
    """The fields of a dataclass, and those of the dataclasses among them."""
    hints = get_type_hints(kind)
    for each in fields(kind):
        yield from variable_names(hints[each.name]) if is_dataclass(hints[each.name]) else [each.name]


def parts_of(name: str) -> set[str]:
    declared = [each.script_parts for each in host_scripts() if each.script_file == name]
    return {part for parts in declared for part in parts}
