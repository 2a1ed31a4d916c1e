"""Reads Ansible's YAML: inventories and variable files, with the line of each value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from fleethands.fleet.ansible.names import InvalidHostRange, hosts
from fleethands.fleet.ansible.place import FileLocation, UnreadableInventory, Variable, relative_path
from fleethands.fleet.ansible.tree import Tree

CANT = {
    "plugin": "an inventory plugin, which only Ansible can ask",
    "_meta": "the list of an inventory program, and no inventory in Ansible's YAML form",
}
SECTIONS = ("hosts", "vars", "children")


class Vault(str):
    """A value that only Ansible's vault can read."""


class Unsafe(str):
    """Text in which braces have no meaning."""


class _Loader(yaml.SafeLoader):
    """PyYAML's loader, with Ansible's tags."""


def _text(kind: type[str]) -> Any:
    return lambda loader, node: kind(loader.construct_scalar(node))


for _tag, _kind in (("!vault", Vault), ("!vault-encrypted", Vault), ("!unsafe", Unsafe)):
    _Loader.add_constructor(_tag, _text(_kind))


def read(path: Path, text: str) -> Tree:
    """The tree of an inventory's text. Raises UnreadableInventory with the line."""
    tree = Tree(path)
    with _Document(path, text) as document:
        groups = document.whole("an inventory: groups with `hosts`, `vars` and `children`")
        for name, _, place in groups:
            if name in CANT:
                raise UnreadableInventory(place, CANT[name], *ask(path))
        for name, node, place in groups:
            document.group(tree, name, node, place)
    return tree


def variables(path: Path, text: str) -> dict[str, Variable]:
    """The variables of a file in group_vars or host_vars. Raises UnreadableInventory with the line."""
    with _Document(path, text) as document:
        return document.variables(document.whole("variables in the form `KEY: VALUE`"))


def ask(path: Path) -> list[str]:
    """Hints that show how Ansible converts an inventory to a format that fleethands reads."""
    return [f"where Ansible is installed: ansible-inventory -i {relative_path(path)} --list --yaml --output hosts.yml"]


Row = tuple[str, Any, FileLocation]


class _Document:
    """One file while it is read. Errors of PyYAML are raised as UnreadableInventory."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text

    def __enter__(self) -> _Document:
        return self

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, yaml.YAMLError):
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            line = mark.line + 1 if mark else 1
            problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
            raise UnreadableInventory(FileLocation(self.path, line), f"not YAML: {problem}") from None

    def whole(self, expected: str) -> list[Row]:
        """The rows of the file; none for an empty file."""
        self._loader = _Loader(self.text)
        node = self._loader.get_single_node()
        if node is None or self._is_null(node):
            return []
        return self._rows(node, expected)

    def variables(self, rows: list[Row]) -> dict[str, Variable]:
        return {key: Variable(self._loader.construct_object(node, deep=True), place) for key, node, place in rows}

    def group(self, tree: Tree, name: str, node: Any, place: FileLocation) -> None:
        """One group with its contents."""
        tree.group(name)
        if self._is_null(node):
            return
        rows = self._rows(node, f"`{name}`: a group with `hosts`, `vars` and `children`")
        for key, part, where in rows:
            if key not in SECTIONS:
                raise UnreadableInventory(
                    where, f"`{key}` in the group `{name}`: expected `hosts`, `vars` or `children`"
                )
            if not self._is_null(part):
                getattr(self, f"_{key}")(
                    tree, name, self._as_mapping(part, f"`{key}` of the group `{name}`: a dictionary")
                )

    def _hosts(self, tree: Tree, group: str, rows: list[Row]) -> None:
        for pattern, node, place in rows:
            try:
                names, port = hosts(pattern)
            except InvalidHostRange as error:
                raise UnreadableInventory(place, str(error)) from None
            found = {"ansible_port": Variable(port, place)} if port else {}
            if not self._is_null(node):
                found.update(self.variables(self._rows(node, f"variables of `{pattern}` in the form `KEY: VALUE`")))
            for each in names:
                tree.add_host(group, each, found)

    def _vars(self, tree: Tree, group: str, rows: list[Row]) -> None:
        tree.group(group).variables.update(self.variables(rows))

    def _children(self, tree: Tree, group: str, rows: list[Row]) -> None:
        for name, node, place in rows:
            self.group(tree, name, node, place)
            tree.add_child(group, name, place)

    def _as_mapping(self, node: Any, expected: str) -> list[Row]:
        """Rows; a single name means a dictionary with this name."""
        if isinstance(node, yaml.ScalarNode) and isinstance(self._loader.construct_object(node), str):
            return [(node.value, None, self._place(node))]
        return self._rows(node, expected)

    def _rows(self, node: Any, expected: str) -> list[Row]:
        if not isinstance(node, yaml.MappingNode):
            raise UnreadableInventory(self._place(node), f"expected {expected}")
        return list(self._pairs(node))

    def _pairs(self, node: Any) -> Iterator[Row]:
        self._loader.flatten_mapping(node)
        for key, value in node.value:
            name = self._loader.construct_object(key, deep=True)
            if not isinstance(name, str):
                raise UnreadableInventory(self._place(key), f"`{name}`: expected a name; put it in quotes")
            yield name, value, self._place(key)

    def _is_null(self, node: Any) -> bool:
        return node is None or (isinstance(node, yaml.ScalarNode) and self._loader.construct_object(node) is None)

    def _place(self, node: Any) -> FileLocation:
        return FileLocation(self.path, node.start_mark.line + 1)
