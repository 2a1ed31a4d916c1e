"""Archives that the controller fetches once and sends over SSH, for hosts that have no way out."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.request import urlopen

import gevent  # type: ignore[import-untyped]

PREFIX = ".fleethands-release-"  # in the home of the user that SSH lets in; release.sh takes it from there
CHUNK = 1 << 20
SILENCE = 60  # seconds without a byte
ZST = ".zst"


class TransferError(Exception):
    """The controller cannot get at what it should send; the message is the reason."""


@dataclass(frozen=True)
class Parcel:
    """
    What is sent for one release: its archives, and their digests where they are declared (else sha256sum.txt's count).

    + plain: without zstd's compression, for hosts that do not have it
    """

    url: str
    names: Sequence[str]
    digests: Mapping[str, str]
    plain: bool = False

    @property
    def sent(self) -> tuple[str, ...]:
        """Names of the archives as they arrive."""
        return tuple(name.removesuffix(ZST) for name in self.names) if self.plain else tuple(self.names)

    def uploads(self) -> Iterator[tuple[str | IO[str], str]]:
        """
        Source and name on the host of each file. Archives come out of the cache, fetched where it lacks them.

        Raises TransferError.
        """
        try:
            digests = self._digests()
            places = {name: _cached(f"{self.url}/{name}", name, digest) for name, digest in digests.items()}
        except (OSError, ValueError, HTTPException) as error:
            raise TransferError(f"the controller cannot fetch from {self.url}: {error}") from error
        for name, place in places.items():
            if self.plain and name.endswith(ZST):
                plain, plain_name = _unpacked(place), name.removesuffix(ZST)
                digests[plain_name] = _digest(plain)
                yield str(plain), PREFIX + plain_name
            else:
                yield str(place), PREFIX + name
        yield io.StringIO("".join(f"{digest}  ./{name}\n" for name, digest in digests.items())), f"{PREFIX}sums"

    def _digests(self) -> dict[str, str]:
        known = dict(self.digests)
        if not known.keys() >= set(self.names):
            with urlopen(f"{self.url}/sha256sum.txt", timeout=SILENCE) as answer:  # noqa: S310  http, https, file
                rows = [line.split() for line in answer.read(CHUNK).decode().splitlines()]
            listed = {row[1].removeprefix("./"): row[0] for row in rows if len(row) == 2}
            known = {**listed, **known}
        if missing := [name for name in self.names if name not in known]:
            raise TransferError(f"{self.url}/sha256sum.txt names no {missing[0]}")
        return {name: known[name] for name in self.names}


def cache() -> Path:
    """Where fetched archives lie, by their digests."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "fleethands/releases"


def _cached(url: str, name: str, digest: str) -> Path:
    place = cache() / f"{digest}-{name}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with _alone(place.with_name(f"{place.name}.lock")):
        if not place.exists():
            _fetch(url, place, digest)
    return place


def _unpacked(archive: Path) -> Path:
    """The archive without its compression, beside it in the cache. Raises TransferError."""
    place = archive.with_suffix("")
    with _alone(place.with_name(f"{place.name}.lock")):
        if not place.exists():
            part = place.with_name(f"{place.name}.part")
            try:
                subprocess.run(["zstd", "-dqf", str(archive), "-o", str(part)], check=True, capture_output=True)
            except FileNotFoundError:
                raise TransferError("a host has no zstd, and this machine has none to unpack for it") from None
            except subprocess.CalledProcessError as error:
                raise TransferError(f"cannot unpack {archive}: {error.stderr.decode(errors='replace')}") from None
            part.rename(place)
    return place


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One at a time, among the hosts of this run and among runs; whoever dies lets go."""
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                gevent.sleep(0.2)  # to wait in the kernel would hold up every other host
        yield


def _fetch(url: str, place: Path, digest: str) -> None:
    part, received = place.with_name(f"{place.name}.part"), hashlib.sha256()
    try:
        with urlopen(url, timeout=SILENCE) as answer, part.open("wb") as file:  # noqa: S310  http, https, file
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                received.update(chunk)
                gevent.sleep(0)
        if received.hexdigest() != digest:
            raise TransferError(
                f"{url} is not what was expected: expected sha256 {digest}, received {received.hexdigest()}"
            )
        part.rename(place)
    finally:
        part.unlink(missing_ok=True)
