"""The `group_data` directories of an inventory: in the working directory, and next to the inventory."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from fleethands.fleet.ansible.place import relative_path

NAME = "group_data"
ALIKE = 0.8


def group_data_directories(inventory: Path) -> list[Path]:
    """The directories in pyinfra's order of precedence (pyinfra 3.10, pyinfra_cli/inventory.py)."""
    return list(dict.fromkeys((Path.cwd() / NAME, inventory.parent.resolve() / NAME)))


def find_stray_files(path: Path, inventory: Any) -> list[str]:
    """
    Warnings about files for a group without hosts, if another group has a similar name.

    + path: the inventory's file; inventory: pyinfra's inventory
    """
    groups = {name for name, hosts in inventory.groups.items() if hosts}
    found = []
    for directory in group_data_directories(path):
        for file in sorted(directory.glob("*.py")):
            near = difflib.get_close_matches(file.stem, groups, 1, ALIKE)
            if near and file.stem not in groups | {"all"}:
                found.append(f"{relative_path(file)}: no host is in a group `{file.stem}`, nearest is `{near[0]}`")
    return found
