"""Recognizes Ansible's inventories."""

from __future__ import annotations

import os
from pathlib import Path

from fleethands.fleet.ansible.ini_file import SECTION

PREFIX = "@ansible/"
YAML_ENDINGS = {".yml", ".yaml", ".json"}
ENDINGS = (*sorted(YAML_ENDINGS), ".ini")
TOML = ".toml"
LOOKED_AT = 1 << 20  # characters


def ansible_file(target: str) -> Path | None:
    """
    The file of a target that is an Ansible inventory; None for another target.

    `@ansible/FILE`, an ending (.yml, .yaml, .json, .ini) or a section in a file make it an Ansible inventory.
    """
    if target.startswith(PREFIX):
        return Path(target.removeprefix(PREFIX))
    path = Path(target)
    if path.suffix == ".py" or not os.path.isfile(target):
        return None
    return path if path.suffix in ENDINGS or path.suffix == TOML or _looks_so(path) else None


def _looks_so(path: Path) -> bool:
    """Whether a file is not a Python program, which pyinfra would run."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LOOKED_AT)
    except (OSError, ValueError):
        return False
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and line[0] not in "#;"]
    return bool(lines) and (lines[0] in ("---", "all:") or any(SECTION.fullmatch(line) for line in lines))
