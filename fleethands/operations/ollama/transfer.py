"""Archives that the controller fetches once and sends over SSH, for hosts that have no way out."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import gevent  # type: ignore[import-untyped]

from fleethands import web
from fleethands.operations.core.format_size import format_size
from fleethands.operations.core.upload import UploadError
from fleethands.operations.ollama import release_checksums

PREFIX = ".fleethands-release-"  # in the home of the user that SSH lets in; release.sh takes it from there
CHUNK = 1 << 20
MAX_ARCHIVE = 16 << 30  # bytes of an archive; upstream's largest has some 2 GiB
TIMEOUT = 4 * 60 * 60.0  # seconds for an archive over a thin line
MIN_FREE = 256 << 20  # bytes that stay free on the controller
ZST = ".zst"


@dataclass(frozen=True)
class ReleaseUpload:
    """
    What is sent for one release: its archives, and their digests where they are declared (else sha256sum.txt's count).

    + plain: without zstd's compression, for hosts that do not have it
    """

    url: str
    names: Sequence[str]
    digests: Mapping[str, str]
    plain: bool = False

    @property
    def checksums_url(self) -> str:
        """Address of the list of digests that lies beside the archives."""
        return f"{web.public_url(self.url)}/{release_checksums.NAME}"

    @property
    def sent(self) -> tuple[str, ...]:
        """Names of the archives as they arrive."""
        return tuple(name.removesuffix(ZST) for name in self.names) if self.plain else tuple(self.names)

    def files(self) -> Iterator[tuple[str | IO[str], str]]:
        """
        Source and name on the host of each file. Archives come out of the cache, fetched where it lacks them.

        Raises UploadError.
        """
        hints = (f"on this machine: curl -fIL {shlex.quote(self.checksums_url)}", "then run it again")
        try:
            yield from self._files()
        except UploadError as error:
            raise UploadError(str(error), *hints) from error
        except web.FAILURES as error:
            cause = f"the controller cannot fetch from {web.public_url(self.url)}: {web.failure(error)}"
            raise UploadError(cause, *hints) from error

    def _files(self) -> Iterator[tuple[str | IO[str], str]]:
        digests = self._digests()
        places = dict(self._place(name, digest) for name, digest in digests.items())
        digests |= {name: _sha256(place) for name, place in places.items() if name not in digests}
        yield from ((str(place), PREFIX + name) for name, place in places.items())
        yield io.StringIO("".join(f"{digest}  ./{name}\n" for name, digest in digests.items())), f"{PREFIX}sums"

    def _place(self, name: str, digest: str) -> tuple[str, Path]:
        """Name as it is sent, and where it lies here."""
        archive = _fetch_cached(f"{self.url}/{name}", name, digest)
        if self.plain and name.endswith(ZST):
            return name.removesuffix(ZST), _unpack_cached(archive)
        return name, archive

    def _digests(self) -> dict[str, str]:
        known = dict(self.digests)
        if not known.keys() >= set(self.names):
            content = web.fetch(f"{self.url}/{release_checksums.NAME}", most=release_checksums.MAX_BYTES)
            known = {**release_checksums.parse_checksums(content, self.names), **known}
        if missing := [name for name in self.names if name not in known]:
            raise UploadError(f"{self.checksums_url} names no {missing[0]}")
        return {name: known[name] for name in self.names}


def cache_directory() -> Path:
    """Where fetched archives lie, by their digests."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "fleethands/releases"


def _fetch_cached(url: str, name: str, digest: str) -> Path:
    place = cache_directory() / f"{digest}-{name}"
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(place.with_name(f"{place.name}.lock")):
        if not place.exists():
            _fetch(url, place, digest)
    return place


def _unpack_cached(archive: Path) -> Path:
    """The archive without its compression, beside it in the cache. Raises UploadError."""
    place = archive.with_suffix("")
    with _locked(place.with_name(f"{place.name}.lock")):
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
        raise UploadError("a host has no zstd, and this machine has none to unpack for it") from None
    unpacked: Any = zstd.stdout
    with zstd:
        try:
            _write(part, unpacked.read, f"{archive.name}, unpacked,")
        except BaseException:
            zstd.kill()
            raise
    if zstd.returncode:
        raise UploadError(f"cannot unpack {archive}: `zstd -t` says why")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
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
        with web.open_url(url, most=MAX_ARCHIVE + CHUNK, patience=TIMEOUT) as answer:
            received = _write(part, answer.read, web.public_url(url))
        if received != digest:
            raise UploadError(
                f"{web.public_url(url)} is not what was expected: expected sha256 {digest}, received {received}"
            )
        part.rename(place)
    finally:
        part.unlink(missing_ok=True)


def _write(part: Path, read: Callable[[int], bytes], what: str) -> str:
    """
    Write all that comes into a file that only we may read.

    + what: it is, for the reason of a UploadError, which ends what would fill the disk

    Returns its sha256.
    """
    received, size = hashlib.sha256(), 0
    part.unlink(missing_ok=True)
    with open(part, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        while chunk := read(CHUNK):
            size += len(chunk)
            if size > MAX_ARCHIVE:
                raise UploadError(f"{what} has more than {format_size(MAX_ARCHIVE)}")
            if shutil.disk_usage(part.parent).free < MIN_FREE:
                raise UploadError(f"{what} does not fit: {part.parent} has less than {format_size(MIN_FREE)} free")
            file.write(chunk)
            received.update(chunk)
            gevent.sleep(0)
    return received.hexdigest()
