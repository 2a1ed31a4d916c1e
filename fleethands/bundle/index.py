"""The index of a bundle: what it has for which hosts. An index that was read is untrusted data."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, cast

from fleethands import oci
from fleethands.untrusted import count, line, mapping, parse_json, rows

FORMAT = 1
MOST_INDEX = 16 << 20  # bytes; 400 packages and 50 models take some 200 KiB
MOST_ENTRIES = 50_000
MOST_NAME = 500  # characters of the name of a host, which is only shown
ARCHS = ("amd64", "arm64")
# Names and versions reach lines of scripts, with blanks between them. So none has a blank, or begins like an option.
NAMES = {
    "release": re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}\Z"),
    "model": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,499}\Z"),
    "image": re.compile(r"[A-Za-z0-9\[][A-Za-z0-9_.:/@\[\]-]{0,499}\Z"),
    "package": re.compile(r"[a-z0-9][a-z0-9+.-]{1,99}\Z"),  # Debian policy 5.6.1
}
VERSIONS = {
    "release": re.compile(r"[0-9][A-Za-z0-9.+-]{0,59}\Z"),
    "package": re.compile(r"[0-9A-Za-z][A-Za-z0-9.+~:-]{0,99}\Z"),  # Debian policy 5.6.12
}
SUITE = re.compile(r"[a-z]{1,30}-[0-9]{1,4}(?:\.[0-9]{1,4})?\Z")
CREATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")
Kind = Literal["release", "model", "image", "package"]


@dataclass(frozen=True)
class PackedPart:
    """
    One file of an artifact.

    + digest: `sha256:` and 64 hex digits
    + is_packed: False if the file is only in the older bundle that `--since` named
    """

    digest: str
    size: int
    is_packed: bool = True


@dataclass(frozen=True)
class PackedArtifact:
    """
    One thing that hosts need.

    + name: the file of a release, a model as Ollama lists it, an image as declared, or a package
    + version: of the release or the package
    + arch: amd64 or arm64; empty for a model
    + suite: of the package, such as `debian-13`
    + digest: the digest that the lockfile has: of an archive, of a manifest, of an index of several architectures
    + parts: digests of its files. For models and images the manifest is the first.
    """

    kind: Kind
    name: str
    digest: str
    parts: tuple[str, ...]
    version: str = ""
    arch: str = ""
    suite: str = ""

    @property
    def label(self) -> str:
        """The artifact in a message."""
        where = ", ".join(each for each in (self.version, self.arch, self.suite) if each)
        return f"{self.kind} {self.name}{f' ({where})' if where else ''}"


@dataclass(frozen=True)
class BundleIndex:
    """
    Everything that a bundle has.

    + created: time in UTC, such as `2026-11-30T10:00:00Z`
    + hosts: names of the inventory's hosts
    + parts: in their order in the file, each once
    + since: digest of the index of the older bundle that this one continues; empty for a whole bundle
    """

    created: str
    hosts: tuple[str, ...]
    artifacts: tuple[PackedArtifact, ...]
    parts: tuple[PackedPart, ...]
    since: str = ""

    @cached_property
    def text(self) -> bytes:
        """The bytes of `index.json`."""
        document = {"format": FORMAT, **asdict(self)}
        return (json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()

    @property
    def digest(self) -> str:
        """The digest of the index, which names every other byte of the bundle."""
        return f"sha256:{hashlib.sha256(self.text).hexdigest()}"

    @property
    def packed(self) -> tuple[PackedPart, ...]:
        """The parts whose bytes are in the file."""
        return tuple(part for part in self.parts if part.is_packed)

    @cached_property
    def part(self) -> dict[str, PackedPart]:
        """Digest → part."""
        return {part.digest: part for part in self.parts}

    def size(self, artifacts: Iterable[PackedArtifact]) -> int:
        """Bytes of some artifacts, each part counted once."""
        return sum(self.part[digest].size for digest in {each for one in artifacts for each in one.parts})

    def label(self, digest: str) -> str:
        """A part in a message: by the first artifact that it belongs to."""
        owner = next((each.label for each in self.artifacts if digest in each.parts), "no artifact")
        return f"{digest[:19]}… of {owner}"

    @classmethod
    def parse(cls, text: bytes) -> BundleIndex:
        """Raises ValueError for all that is no index of this format."""
        document = mapping(parse_json(text, MOST_INDEX))
        if (version := document.get("format")) != FORMAT:
            raise ValueError(f"its format is {line(str(version), 40)}, and this fleethands reads {FORMAT}")
        parts = tuple(_part(row) for row in rows(document.get("parts"), MOST_ENTRIES))
        since = document.get("since")
        index = cls(
            _matching(document.get("created"), CREATED, "time"),
            _lines(document.get("hosts")),
            tuple(_artifact(row) for row in rows(document.get("artifacts"), MOST_ENTRIES)),
            parts,
            oci.digest(since) if since else "",
        )
        index._check_digests()
        return index

    def _check_digests(self) -> None:
        if len(self.part) != len(self.parts):
            raise ValueError("it lists a part twice")
        if unknown := next((each for one in self.artifacts for each in one.parts if each not in self.part), None):
            raise ValueError(f"it has an artifact with the unknown part {unknown}")


def _part(row: dict[str, Any]) -> PackedPart:
    return PackedPart(oci.digest(row.get("digest")), count(row.get("size")), row.get("is_packed") is not False)


def _artifact(row: dict[str, Any]) -> PackedArtifact:
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in NAMES:
        raise ValueError("it has an artifact of an unknown kind")
    digests = row.get("parts")
    if not isinstance(digests, list) or not digests:
        raise ValueError("it has an artifact without parts")
    return PackedArtifact(
        cast(Kind, kind),
        _matching(row.get("name"), NAMES[kind], f"name of a {kind}"),
        oci.digest(row.get("digest")),
        tuple(oci.digest(each) for each in digests),
        _matching(row.get("version"), VERSIONS[kind], f"version of a {kind}") if kind in VERSIONS else "",
        "" if kind == "model" else _arch(row.get("arch")),
        _matching(row.get("suite"), SUITE, "suite") if kind == "package" else "",
    )


def _arch(value: Any) -> str:
    if value not in ARCHS:
        raise ValueError("it has an artifact of an unknown architecture")
    return str(value)


def _matching(value: Any, pattern: re.Pattern[str], what: str) -> str:
    if not isinstance(value, str) or not pattern.match(value):
        raise ValueError(f"it has a {what} that is not valid")
    return value


def _lines(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_ENTRIES:
        raise ValueError("not a list of names, or too long a list")
    return tuple(line(each, MOST_NAME) for each in value)
