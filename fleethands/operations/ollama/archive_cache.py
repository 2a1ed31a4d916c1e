"""The controller's cache of release archives, which it downloads once and sends to hosts over SSH."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]

from fleethands import web
from fleethands.operations.core.upload import UploadError
from fleethands.text.format import format_size

CHUNK = 1 << 20
MAX_ARCHIVE = 16 << 30  # bytes of an archive; upstream's largest has some 2 GiB
TIMEOUT = 4 * 60 * 60.0  # seconds for an archive over a slow line
MIN_FREE = 256 << 20  # bytes that stay free on the controller


def cache_directory() -> Path:
    """The directory of the cached archives, which are named by their checksums."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "fleethands/releases"


def fetch_cached(url: str, name: str, digest: str) -> Path:
    """The archive from the cache, after a download if it is not there. Raises UploadError, and web.FAILURES."""
    place = cache_directory() / f"{digest}-{name}"
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(place.with_name(f"{place.name}.lock")):
        if not place.exists():
            _fetch(url, place, digest)
    return place


def unpack_cached(archive: Path) -> Path:
    """The archive without its compression, kept next to it in the cache. Raises UploadError."""
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


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """A lock against other hosts of this run and against other runs. It ends with its process."""
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                gevent.sleep(0.2)  # a blocking flock would stop the greenlets of all other hosts
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
    Write a stream into a private file, and return its sha256.

    Raises UploadError if it is too large, or before it fills the disk.

    + what: name of the stream in that error
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
