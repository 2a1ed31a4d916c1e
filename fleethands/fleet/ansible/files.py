"""The group_vars and host_vars that belong to an inventory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fleethands.fleet.ansible import yaml_file
from fleethands.fleet.ansible.place import FileLocation, UnreadableInventory, Variable

ENDINGS = ("", ".yml", ".yaml", ".json")
VAULT = "$ANSIBLE_VAULT;"


class VarsFiles:
    """
    The variable files of several directories. A later directory overrides an earlier one.

    + directories: of the inventory, and the working directory

    `encrypted`: name of a group or host → its files that only Ansible's vault can read.
    """

    def __init__(self, directories: list[Path]) -> None:
        self._directories = list(dict.fromkeys(each.resolve() for each in directories))
        self.encrypted: dict[str, list[Path]] = {}

    @cache  # noqa: B019  lives only while an inventory is read
    def variables_of(self, kind: str, name: str) -> dict[str, Variable]:
        """
        The variables of a group or a host. Raises UnreadableInventory.

        + kind: group_vars or host_vars
        """
        found: dict[str, Variable] = {}
        for directory in self._directories:
            for path in _files(directory / kind, name):
                found.update(self._read(path, name))
        return found

    def _read(self, path: Path, name: str) -> dict[str, Variable]:
        text = text_of(path)
        if text.startswith(VAULT):
            self.encrypted.setdefault(name, []).append(path)
            return {}
        return yaml_file.variables(path, text)


def text_of(path: Path) -> str:
    """The text of a file. Raises UnreadableInventory."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UnreadableInventory(FileLocation(path, line), "expected text in UTF-8") from None
    except OSError as error:
        raise UnreadableInventory(FileLocation(path, 1), f"cannot be read: {error.strerror}") from None


def _files(directory: Path, name: str) -> Iterator[Path]:
    """`gpu`, `gpu.yml`, … or all files below `gpu/`: the first that exists, like in Ansible."""
    if "/" in name:
        return
    for ending in ENDINGS:
        path = directory / f"{name}{ending}"
        if path.exists():
            yield from _below(path) if path.is_dir() else [path]
            return


def _below(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir() and not path.suffix:
            yield from _below(path)
        elif path.is_file() and path.suffix in ENDINGS:
            yield path
