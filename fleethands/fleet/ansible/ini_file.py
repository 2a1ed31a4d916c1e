"""Reads an inventory in Ansible's INI form: `[group]`, `[group:children]`, `[group:vars]`."""

from __future__ import annotations

import ast
import difflib
import re
import shlex
import warnings
from pathlib import Path
from typing import Any

from fleethands.fleet.ansible.names import InvalidHostRange, hosts
from fleethands.fleet.ansible.place import FileLocation, UnreadableInventory, Variable
from fleethands.fleet.ansible.tree import ALL, UNGROUPED, Tree

SECTION = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:#.*)?")
_GROUP = re.compile(r"(?P<group>[^:\]\s]+)\s*(?:#.*)?")
KINDS = ("hosts", "children", "vars")


def read(path: Path, text: str) -> Tree:
    """The tree of an inventory's text. Raises UnreadableInventory with the line."""
    reader = _Reader(path)
    for number, line in enumerate(text.splitlines(), 1):
        reader.read(FileLocation(path, number), line.strip())
    reader.check()
    return reader.tree


class _Reader:
    """One file, line by line."""

    def __init__(self, path: Path) -> None:
        self.tree = Tree(path)
        self.declared = {ALL, UNGROUPED}
        self.referred: dict[str, tuple[FileLocation, str]] = {}
        self.group, self.kind = UNGROUPED, "hosts"

    def read(self, place: FileLocation, line: str) -> None:
        if not line or line[0] in ";#":
            return
        if match := SECTION.fullmatch(line):
            self._section(place, match["group"], match["kind"] or "hosts")
        elif line.startswith("[") and line.endswith("]"):
            raise UnreadableInventory(
                place, f"`{line}`: expected a section such as `[gpu]`, `[gpu:children]` or `[gpu:vars]`"
            )
        else:
            getattr(self, f"_{self.kind}")(place, line)

    def check(self) -> None:
        """Every group that is referred to is declared somewhere."""
        for name, (place, problem) in self.referred.items():
            if name not in self.declared:
                near = difflib.get_close_matches(name, sorted(self.declared), 1)
                raise UnreadableInventory(place, problem, *(f"nearest is `{each}`" for each in near))

    def _section(self, place: FileLocation, group: str, kind: str) -> None:
        if kind not in KINDS:
            raise UnreadableInventory(
                place, f"`[{group}:{kind}]`: expected `[{group}]`, `[{group}:children]` or `[{group}:vars]`"
            )
        self.group, self.kind = group, kind
        self.tree.group(group)
        if kind == "vars":
            self.referred.setdefault(group, (place, f"`[{group}:vars]`: there is no group `{group}`"))
        else:
            self.declared.add(group)

    def _hosts(self, place: FileLocation, line: str) -> None:
        try:
            pattern, *words = shlex.split(line, comments=True)
            names, port = hosts(pattern)
        except InvalidHostRange as error:
            raise UnreadableInventory(place, str(error)) from None
        except ValueError as error:  # shlex's own
            raise UnreadableInventory(place, f"{str(error).lower()}: `{line}`") from None
        variables = {"ansible_port": Variable(port, place)} if port else {}
        for word in words:
            key, equals, value = word.partition("=")
            if not equals:
                raise UnreadableInventory(place, f"`{word}`: expected `KEY=VALUE` after the host's name")
            variables[key] = Variable(_value(value), place)
        for name in names:
            self.tree.add_host(self.group, name, variables)

    def _children(self, place: FileLocation, line: str) -> None:
        match = _GROUP.fullmatch(line)
        if match is None:
            raise UnreadableInventory(place, f"`{line}`: expected a group's name")
        child = match["group"]
        self.referred.setdefault(child, (place, f"`[{self.group}:children]`: there is no group `{child}`"))
        self.tree.add_child(self.group, child, place)

    def _vars(self, place: FileLocation, line: str) -> None:
        key, equals, value = line.partition("=")
        if not equals:
            raise UnreadableInventory(place, f"`{line}`: expected `KEY=VALUE`")
        self.tree.group(self.group).variables[key.strip()] = Variable(_value(value.strip()), place)


def _value(text: str) -> Any:
    """A Python literal, or the text itself: as Ansible has it (its docs, "Defining variables in INI format")."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | set):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return str(value) if value is ... or isinstance(value, complex | bytes) else value
