"""Reads the file of an inventory in its format."""

from __future__ import annotations

from pathlib import Path

from fleethands.fleet.ansible import ini_file, yaml_file
from fleethands.fleet.ansible.files import VAULT, text_of
from fleethands.fleet.ansible.kind import TOML, YAML_ENDINGS
from fleethands.fleet.ansible.own_variables import ENCRYPTED
from fleethands.fleet.ansible.place import FileLocation, UnreadableInventory
from fleethands.fleet.ansible.tree import Tree


def tree_of(path: Path) -> Tree:
    """The hosts and groups of a file. Raises UnreadableInventory."""
    if path.suffix == TOML:
        raise UnreadableInventory(
            FileLocation(path, 0), "an inventory in TOML, which only Ansible reads", *yaml_file.ask(path)
        )
    text = text_of(path)
    if text.startswith(VAULT):
        raise UnreadableInventory(FileLocation(path, 1), ENCRYPTED)
    reads_yaml = path.suffix in YAML_ENDINGS or text.lstrip().startswith(("---", "all:"))
    return (yaml_file if reads_yaml else ini_file).read(path, text)
