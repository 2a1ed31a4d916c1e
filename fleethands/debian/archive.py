"""Reads the signed indexes of an archive of packages."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from fleethands import web
from fleethands.debian.errors import ArchiveError
from fleethands.debian.signature import signed_text
from fleethands.debian.suites import Suite

MOST_RELEASE = 4 << 20
MOST_PACKED = 128 << 20
MOST_PACKAGES = 1 << 30  # bytes of an unpacked index; Ubuntu's universe has some 80 MiB
PATIENCE = 600.0
FORMS = ("xz", "gz")
NAME = "InRelease"
_FIELD = re.compile(r"^([A-Za-z0-9-]+):[ \t]*(.*)$", re.MULTILINE)
_SUM = re.compile(r"^ ([0-9a-f]{64}) +([0-9]{1,12}) (\S+)$", re.MULTILINE)
HINT = "try another mirror: --mirror NAME=URL"


@dataclass(frozen=True)
class PocketAddress:
    """
    A pocket on a mirror.

    + root: the address that files of packages are below
    """

    suite: Suite
    name: str
    root: str

    @property
    def url(self) -> str:
        return f"{self.root}/dists/{self.name}"

    @property
    def public_url(self) -> str:
        """The address without a password."""
        return web.public_url(self.url)


@dataclass(frozen=True)
class Release:
    """The signed index of a pocket: file → (sha256, size)."""

    address: PocketAddress
    fields: dict[str, str]
    sums: dict[str, tuple[str, int]]

    @property
    def has_hashes(self) -> bool:
        """Whether each file has an address that its sha256 names, which does not change during an update."""
        return self.fields.get("Acquire-By-Hash") == "yes"


def read_release(address: PocketAddress, keyring: Path) -> Release:
    """Fetch and check the index of a pocket. Raises ArchiveError."""
    content = _fetch(f"{address.url}/{NAME}", MOST_RELEASE)
    text = signed_text(f"{address.public_url}/{NAME}", content, keyring)
    head, _, sums = text.partition("\nSHA256:")
    fields = dict(_FIELD.findall(head))
    release = Release(address, fields, {name: (digest, int(size)) for digest, size, name in _SUM.findall(sums)})
    _check_pocket(release)
    _check_date(release)
    return release


def _check_pocket(release: Release) -> None:
    """A mirror must not answer with another pocket, whose signature is just as good."""
    key = "Codename" if release.address.suite.distribution == "debian" else "Suite"
    named = release.fields.get(key, "nothing")[:60]
    if named != release.address.name:
        raise ArchiveError(f"{release.address.public_url} is {named}, expected {release.address.name}", HINT)
    if release.fields.get("Origin", "").lower() != release.address.suite.distribution:
        raise ArchiveError(f"{release.address.public_url} is not of {release.address.suite.distribution}", HINT)


def _check_date(release: Release) -> None:
    until = release.fields.get("Valid-Until")
    if until is None:
        return
    try:
        end = parsedate_to_datetime(until).astimezone(UTC)
    except ValueError:
        raise ArchiveError(f"{release.address.public_url}: its Valid-Until is not a date", HINT) from None
    if end < datetime.now(UTC):
        reason = f"{release.address.public_url} is outdated: it was valid until {until[:60]}"
        raise ArchiveError(reason, "look at the clock of this machine: date -u", HINT)


def read_stanzas(release: Release, arch: str) -> Iterator[str]:
    """The text of each package of an architecture. Raises ArchiveError."""
    for component in release.address.suite.components:
        yield from _read_index(release, f"{component}/binary-{arch}/Packages").split("\n\n")


def _read_index(release: Release, name: str) -> str:
    form = next((each for each in FORMS if f"{name}.{each}" in release.sums), None)
    if form is None:
        raise ArchiveError(f"{release.address.public_url} has no index {name}", HINT)
    digest, size = release.sums[f"{name}.{form}"]
    if size > MOST_PACKED:
        raise ArchiveError(f"{release.address.public_url}: its index {name} is too large", HINT)
    place = f"{name.rpartition('/')[0]}/by-hash/SHA256/{digest}" if release.has_hashes else f"{name}.{form}"
    content = _fetch(f"{release.address.url}/{place}", size)
    if hashlib.sha256(content).hexdigest() != digest:
        raise ArchiveError(f"{release.address.public_url}: {name}.{form} is not as its signed index says", HINT)
    return _unpack(release, content, form)


def _unpack(release: Release, content: bytes, form: str) -> str:
    unpack: Any = lzma.open if form == "xz" else gzip.open
    with unpack(io.BytesIO(content)) as file:
        try:
            text: bytes = file.read(MOST_PACKAGES + 1)
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise ArchiveError(f"{release.address.public_url}: an index cannot be unpacked: {error}", HINT) from None
    if len(text) > MOST_PACKAGES:
        raise ArchiveError(f"{release.address.public_url}: an index is too large", HINT)
    return text.decode(errors="replace")


def _fetch(url: str, most: int) -> bytes:
    try:
        return web.fetch(url, most=most, patience=PATIENCE)
    except web.FAILURES as error:
        shown = web.public_url(url)
        raise ArchiveError(f"cannot fetch {shown}: {web.failure(error)}", f"try it: curl -fIL {shown}", HINT) from None
