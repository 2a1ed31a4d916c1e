"""The packages of a suite: the newest version of each name, and what it depends on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from fleethands.debian.versions import compare_versions, fits

_NAME = r"[a-z0-9][a-z0-9+.-]*"
_NEED = re.compile(rf"({_NAME})(?::[a-z0-9]+)?(?:\s*\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s)]+)\s*\))?\s*(?:\[[^]]*\])?\Z")
_PACKAGE = re.compile(rf"Package: ({_NAME})$", re.MULTILINE)
_VERSION = re.compile(r"^Version: ([A-Za-z0-9.+~:-]{1,100})$", re.MULTILINE)
_PROVIDES = re.compile(r"^Provides: (.+)$", re.MULTILINE)
_FILE = re.compile(r"pool/[A-Za-z0-9+._~/%:-]{1,400}\.deb\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_FIELD = re.compile(r"^(Pre-Depends|Depends|Filename|Size|SHA256|Architecture): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Need:
    """A package by name, and the versions that will do."""

    name: str
    relation: str = ""
    version: str = ""

    def accepts(self, version: str) -> bool:
        return not self.relation or (bool(version) and fits(version, self.relation, self.version))


@dataclass(frozen=True)
class Package:
    """
    One package.

    + text: its stanza in the index
    + root: address that its file is below
    """

    name: str
    version: str
    text: str
    root: str

    @cached_property
    def fields(self) -> dict[str, str]:
        return dict(_FIELD.findall(self.text))

    @property
    def needs(self) -> list[tuple[Need, ...]]:
        """Dependencies: of each tuple, one is enough."""
        groups = ", ".join(self.fields[key] for key in ("Pre-Depends", "Depends") if key in self.fields)
        return [parse_alternatives(group) for group in groups.split(",") if group.strip()]

    @property
    def url(self) -> str:
        """Raises ValueError for a file that is not in the pool."""
        name = self.fields.get("Filename", "")
        if not _FILE.match(name) or ".." in name:
            raise ValueError(f"the file of {self.name} is not in the pool")
        return f"{self.root}/{name}"

    @property
    def digest(self) -> str:
        """Raises ValueError."""
        found = self.fields.get("SHA256", "")
        if not _DIGEST.match(found):
            raise ValueError(f"{self.name} has no sha256")
        return f"sha256:{found}"

    @property
    def size(self) -> int:
        """Raises ValueError."""
        found = self.fields.get("Size", "")
        if not re.fullmatch(r"[0-9]{1,12}", found):
            raise ValueError(f"{self.name} has no size")
        return int(found)


def parse_alternatives(group: str) -> tuple[Need, ...]:
    """`a (>= 1) | b`. A form that dpkg does not know is left out."""
    matches = [_NEED.match(each.strip()) for each in group.split("|")]
    return tuple(Need(match[1], match[2] or "", match[3] or "") for match in matches if match)


class PackageSet:
    """All packages of a suite. Of a name that several pockets have, the newest version is used."""

    def __init__(self) -> None:
        self._newest: dict[str, Package] = {}

    def add(self, stanzas: Iterable[str], root: str) -> None:
        for text in stanzas:
            name, version = _PACKAGE.search(text), _VERSION.search(text)
            if name is None or version is None:
                continue
            known = self._newest.get(name[1])
            if known is None or compare_versions(version[1], known.version) > 0:
                self._newest[name[1]] = Package(name[1], version[1], text, root)

    def __contains__(self, name: str) -> bool:
        return name in self._newest

    def get(self, name: str) -> Package | None:
        return self._newest.get(name)

    @cached_property
    def providers(self) -> dict[str, list[tuple[Package, str]]]:
        """Virtual name → packages that provide it, with the version that they provide."""
        found: dict[str, list[tuple[Package, str]]] = defaultdict(list)
        for package in self._newest.values():
            if (line := _PROVIDES.search(package.text)) is not None:
                for each in line[1].split(","):
                    for need in parse_alternatives(each):
                        found[need.name].append((package, need.version))
        return {name: sorted(those, key=lambda each: each[0].name) for name, those in found.items()}

    def find(self, need: Need) -> Package | None:
        """The package of that name, otherwise the first that provides it."""
        package = self._newest.get(need.name)
        if package is not None and need.accepts(package.version):
            return package
        return next((each for each, version in self.providers.get(need.name, ()) if need.accepts(version)), None)
