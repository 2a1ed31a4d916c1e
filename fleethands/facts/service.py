"""The unit files of ollama.service, fleethands' own and foreign ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from fleethands.facts.framing import decode_word
from fleethands.facts.to_json import all_fields


@dataclass(frozen=True)
class UnitText:
    """
    A text file that systemd reads.

    + content: up to 64 KiB
    + unit: path of the unit whose EnvironmentFile= names this file; empty for a unit file or a drop-in
    """

    path: str
    content: bytes
    unit: str = ""

    @property
    def ours(self) -> bool:
        """Whether fleethands wrote it."""
        return self.content.startswith(b"# Written by fleethands")

    def public_fields(self, secrets: Collection[str]) -> Mapping[str, Any]:
        """JSON never has the content: an administrator may have written secrets into it."""
        return {**all_fields(self), "content": None}

    @property
    def name(self) -> str:
        """The file name."""
        return PurePosixPath(self.path).name

    @property
    def lines(self) -> str:
        """The content as text."""
        return self.content.decode(errors="replace")


@dataclass(frozen=True)
class Service:
    """
    Files of ollama.service on disk, as systemd will read them at its next reload.

    + units: unit files and drop-ins; a file that shadows another comes before it
    + files: those that their EnvironmentFile= lines name
    + packages: path → the package that owns it
    + homes: user named in a unit → home directory
    + store: the model store that fleethands uses, symlinks resolved
    + there: foreign files at the paths that Ollama's install.sh writes
    """

    units: tuple[UnitText, ...] = ()
    files: tuple[UnitText, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)
    store: str = ""
    there: frozenset[str] = frozenset()

    @property
    def fragment(self) -> UnitText | None:
        """The unit file that systemd uses."""
        return next((each for each in self.units if each.name == "ollama.service"), None)

    @property
    def drop_ins(self) -> tuple[UnitText, ...]:
        """Drop-ins in the order in which systemd reads them: by name, and one file for each name."""
        found: dict[str, UnitText] = {}
        for folder in ("/ollama.service.d/", "/service.d/"):
            for each in self.units:
                if folder in each.path:
                    found.setdefault(each.name, each)
        return tuple(found[name] for name in sorted(found))

    def without(self, path: str) -> Service:
        """The service after a file is removed, and with it the files that only this one names."""
        units = tuple(each for each in self.units if each.path != path)
        files = tuple(each for each in self.files if each.unit != path)
        return replace(self, units=units, files=files, there=self.there - {path})


def parse_service(lines: list[str]) -> Service:
    """Parse the section `service`. Raises ValueError or ProbeError for an unknown line."""
    units, files = [], []
    packages, homes = {}, {}
    there = set()
    store = ""
    for line in lines:
        kind, *words = line.split(" ")
        values = [b"" if word == "-" else decode_word("service", word) for word in words]
        names = [value.decode(errors="surrogateescape") for value in values]
        if kind == "unit":
            units.append(UnitText(names[0], values[1]))
        elif kind == "file":
            files.append(UnitText(names[1], values[2], names[0]))
        elif kind == "package":
            packages[names[0]] = names[1]
        elif kind == "home":
            homes[names[0]] = names[1]
        elif kind == "store":
            (store,) = names
        elif kind == "there":
            there.add(names[0])
        else:
            raise ValueError(kind)
    return Service(tuple(units), tuple(files), packages, homes, store, frozenset(there))
