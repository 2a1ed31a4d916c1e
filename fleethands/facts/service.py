"""What systemd will read for ollama.service, whoever put it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from fleethands.facts.framing import decode_base64


@dataclass(frozen=True)
class UnitText:
    """A unit file, a drop-in, or for `unit` a file that its EnvironmentFile= names; content up to 64 KiB."""

    path: str
    content: bytes
    unit: str = ""

    @property
    def ours(self) -> bool:
        return self.content.startswith(b"# Written by fleethands")

    @property
    def is_public(self) -> bool:
        """Never: anybody may have put secrets into these files, and whether all may read them was not asked."""
        return False

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    @property
    def lines(self) -> str:
        return self.content.decode(errors="replace")


@dataclass(frozen=True)
class Service:
    """
    Files of ollama.service on disk: what systemd reads at its next reload.

    + units: its fragments and drop-ins, those that shadow before those that are shadowed
    + files: what their EnvironmentFile= lines name
    + packages: path → the package that owns it
    + homes: user that a unit names → home
    + store: the models' directory of ours, links followed
    + there: of the paths that install.sh writes, those that are there and not ours
    """

    units: tuple[UnitText, ...] = ()
    files: tuple[UnitText, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)
    store: str = ""
    there: frozenset[str] = frozenset()

    @property
    def fragment(self) -> UnitText | None:
        """The unit file that counts."""
        return next((each for each in self.units if each.name == "ollama.service"), None)

    @property
    def drop_ins(self) -> tuple[UnitText, ...]:
        """Drop-ins in the order in which they are read: by name, wherever they lie; one of a name counts."""
        found: dict[str, UnitText] = {}
        for folder in ("/ollama.service.d/", "/service.d/"):
            for each in self.units:
                if folder in each.path:
                    found.setdefault(each.name, each)
        return tuple(found[name] for name in sorted(found))

    def without(self, path: str) -> Service:
        """As it is when a file is gone, and what only it named."""
        units = tuple(each for each in self.units if each.path != path)
        files = tuple(each for each in self.files if each.unit != path)
        return replace(self, units=units, files=files, there=self.there - {path})


def parse_service(lines: list[str]) -> Service:
    """The section's lines as a value. Raises ValueError or ProbeError for any other line."""
    units, files = [], []
    packages, homes = {}, {}
    there = set()
    store = ""
    for line in lines:
        kind, *words = line.split(" ")
        values = [b"" if word == "-" else decode_base64("service", word) for word in words]
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
