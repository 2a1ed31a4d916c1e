"""Archives that the controller fetches once and sends over SSH, for hosts that have no way out."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import gevent  # type: ignore[import-untyped]

from fleethands import web
from fleethands.operations.ollama import release_checksums
from fleethands.text.format import format_size

PREFIX = ".fleethands-release-"  # in the home of the user that SSH lets in; release.sh takes it from there
CHUNK = 1 << 20
LARGEST = 16 << 30  # bytes of an archive; upstream's largest has some 2 GiB
PATIENCE = 4 * 60 * 60.0  # seconds for an archive over a thin line
SPARE = 256 << 20  # bytes that stay free on the controller
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
    def listed_at(self) -> str:
        """Address of the list of digests that lies beside the archives."""
        return f"{web.bare(self.url)}/{release_checksums.NAME}"

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
            places = dict(self._place(name, digest) for name, digest in digests.items())
            digests |= {name: _digest(place) for name, place in places.items() if name not in digests}
        except web.FAILURES as error:
            raise TransferError(
                f"the controller cannot fetch from {web.bare(self.url)}: {web.reason(error)}"
            ) from error
        yield from ((str(place), PREFIX + name) for name, place in places.items())
        yield io.StringIO("".join(f"{digest}  ./{name}\n" for name, digest in digests.items())), f"{PREFIX}sums"

    def _place(self, name: str, digest: str) -> tuple[str, Path]:
        """Name as it is sent, and where it lies here."""
        archive = _cached(f"{self.url}/{name}", name, digest)
        if self.plain and name.endswith(ZST):
            return name.removesuffix(ZST), _unpacked(archive)
        return name, archive

    def _digests(self) -> dict[str, str]:
        known = dict(self.digests)
        if not known.keys() >= set(self.names):
            content = web.fetched(f"{self.url}/{release_checksums.NAME}", most=release_checksums.MOST)
            known = {**release_checksums.listed(content, self.names), **known}
        if missing := [name for name in self.names if name not in known]:
            raise TransferError(f"{self.listed_at} names no {missing[0]}")
        return {name: known[name] for name in self.names}


def cache() -> Path:
    """Where fetched archives lie, by their digests."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "fleethands/releases"


def _cached(url: str, name: str, digest: str) -> Path:
    place = cache() / f"{digest}-{name}"
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
                _decompress(archive, part)
                part.rename(place)
            finally:
                part.unlink(missing_ok=True)
    return place


def _decompress(archive: Path, part: Path) -> None:
    command = ["zstd", "-dcq", "--", str(archive)]
    try:
        zstd = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        raise TransferError("a host has no zstd, and this machine has none to unpack for it") from None
    unpacked: Any = zstd.stdout
    with zstd:
        try:
            _write(part, unpacked.read, f"{archive.name}, unpacked,")
        except BaseException:
            zstd.kill()
            raise
    if zstd.returncode:
        raise TransferError(f"cannot unpack {archive}: `zstd -t` says why")


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
    part = place.with_name(f"{place.name}.part")
    try:
        with web.opened(url, most=LARGEST + CHUNK, patience=PATIENCE) as answer:
            received = _write(part, answer.read, web.bare(url))
        if received != digest:
            raise TransferError(
                f"{web.bare(url)} is not what was expected: expected sha256 {digest}, received {received}"
            )
        part.rename(place)
    finally:
        part.unlink(missing_ok=True)


def _write(part: Path, read: Callable[[int], bytes], what: str) -> str:
    """
    Write all that comes into a file that only we may read.

    + what: it is, for the reason of a TransferError, which ends what would fill the disk

    Returns its sha256.
    """
    received, size = hashlib.sha256(), 0
    part.unlink(missing_ok=True)
    with open(part, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        while chunk := read(CHUNK):
            size += len(chunk)
            if size > LARGEST:
                raise TransferError(f"{what} has more than {format_size(LARGEST)}")
            if shutil.disk_usage(part.parent).free < SPARE:
                raise TransferError(f"{what} does not fit: {part.parent} has less than {format_size(SPARE)} free")
            file.write(chunk)
            received.update(chunk)
            gevent.sleep(0)
    return received.hexdigest()
