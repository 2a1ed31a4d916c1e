"""Locations in the files of an inventory, and errors at a location."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class FileLocation:
    """A line of a file, from 1; line 0 is the file as a whole."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{relative_path(self.file)}, line {self.line}" if self.line else relative_path(self.file)

    @property
    def is_python(self) -> bool:
        """Whether the file is pyinfra's own, a Python file."""
        return self.file.suffix == ".py"


@dataclass(frozen=True)
class Variable:
    """A value and its location."""

    value: Any
    place: FileLocation


class UnreadableInventory(ValueError):
    """A file that can't be read; the message begins with the place, and `hints` say what to do."""

    def __init__(self, place: FileLocation, problem: str, *hints: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.hints = hints or (f"fix `{relative_path(place.file)}`, then run the command again",)


def relative_path(path: Path) -> str:
    """A path as a user would type it in the working directory."""
    absolute, here = os.path.abspath(path), os.getcwd()
    return os.path.relpath(absolute, here) if absolute.startswith(here + os.sep) else absolute
