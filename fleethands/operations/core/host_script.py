"""Scripts that change a host, with their variables as a type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar

from fleethands.operations.core import scripts
from fleethands.script import Script

LIBRARY = ("owned", "common")  # what every script begins with


class HostScript:
    """
    A script that changes a host: the file `FILE.sh` next to its module, behind the parts that it calls.

    A subclass is a dataclass. Its fields, and those of dataclasses among them, are the variables of the script: True
    and False become `yes` and `no`, None becomes empty. tests/unit/test_scripts.py compares them with what the script
    asks for.

    Example:

        @dataclass(frozen=True)
        class RemoveFile(HostScript, file="remove_file"):
            path: str

        RemoveFile("/etc/motd").script
    """

    script_file: ClassVar[str] = ""
    script_parts: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, file: str = "", parts: tuple[str, ...] | None = None) -> None:
        """
        + file: name of the script, or of the folder that its parts are in; a base class of several scripts has none
        + parts: other scripts that it calls functions of; None: those of the base class
        """
        cls.script_file = file
        cls.script_parts = cls.script_parts if parts is None else parts

    @property
    def script(self) -> Script:
        return Script(self.body(), {"step": self.script_file, "run": "", **dict(variables(self))})

    @classmethod
    def body(cls) -> str:
        return "".join(scripts.read(each) for each in (*LIBRARY, *cls.script_parts, cls.script_file))


def variables(values: Any) -> Iterator[tuple[str, str]]:
    """The fields of a dataclass, and those of the dataclasses among them, as variables of a script."""
    for each in fields(values):
        value = getattr(values, each.name)
        yield from variables(value) if is_dataclass(value) else [(each.name, as_shell(value))]


def as_shell(value: Any) -> str:
    """A value as scripts read it."""
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
