"""
The parts of a bundle while it is created, in a directory next to its file.

A command that was killed continues from there: complete parts stay, and a partial part is downloaded from its end on.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from fleethands import web
from fleethands.bundle.bundle import CHUNK, part_name
from fleethands.bundle.errors import BundleError
from fleethands.packing.source import PartSource
from fleethands.pinning import registry
from fleethands.text.format import format_size

PATIENCE = 24 * 60 * 60.0  # seconds for one part; 60 s without a byte end it before
MOST_PART = 2 << 40
MIN_FREE = 256 << 20  # bytes that stay free on the disk
TRIES = 3
LOCK = "lock"
MOST_LOCKS = 1000  # that other commands remove in a row


@dataclass(frozen=True)
class PartCache:
    """A directory of parts. `progress` is called with the bytes that arrived since the last call."""

    directory: Path
    progress: Callable[[int], None] = lambda _: None

    @classmethod
    @contextmanager
    def beside(cls, bundle: Path, progress: Callable[[int], None]) -> Iterator[PartCache]:
        """The cache of a bundle, locked against another command that creates the same file. Raises BundleError."""
        directory = bundle.with_name(f"{bundle.name}.parts")
        try:
            with _locked(directory, bundle):
                yield cls(directory, progress)
        except OSError as error:
            hint = f"look at its directory: ls -ld {shlex.quote(str(bundle.parent))}"
            raise BundleError(f"cannot write {directory}: {error.strerror}", hint) from None

    def path(self, digest: str) -> Path:
        return self.directory / part_name(digest)

    def clear(self) -> None:
        """Remove all parts, once the bundle has them. The lock is last, because another command may begin then."""
        for each in self.directory.iterdir():
            if each.name != LOCK:
                each.unlink()
        (self.directory / LOCK).unlink()
        with suppress(OSError):  # the next command has put its lock there
            self.directory.rmdir()

    def fetch(self, source: PartSource, label: str) -> int:
        """
        Store a part, and return its size.

        + label: names it in a message

        Raises BundleError.
        """
        place = self.path(source.digest)
        if not place.exists():
            partial = place.with_name(f"{place.name}.part")
            if source.content is not None:
                partial.write_bytes(source.content)
            else:
                self._download(source, partial, label)
            _check(partial, source, label)
            partial.rename(place)
        return place.stat().st_size

    def missing(self, sources: list[PartSource]) -> int:
        """Bytes that have to be downloaded, as far as their sizes are known."""
        return sum(source.size or 0 for source in sources if not self.path(source.digest).exists())

    def _download(self, source: PartSource, partial: Path, label: str) -> None:
        for left in reversed(range(TRIES)):
            try:
                self._continue(source, partial, label)
                return
            except web.FAILURES as error:
                if left and not hasattr(error, "code"):  # the server did not answer with an error
                    continue
                shown = web.public_url(source.url)
                raise BundleError(
                    f"cannot download {label} from {shown}: {web.failure(error)}",
                    f"try it: curl -fIL {shown}",
                    "run it again: it continues with what is there",
                ) from None

    def _continue(self, source: PartSource, partial: Path, label: str) -> None:
        start = partial.stat().st_size if partial.exists() else 0
        if source.size is not None and start >= source.size:
            if start == source.size:
                return
            partial.unlink()
            start = 0
        most = source.size or MOST_PART
        with registry.open_authorized(source.url, most=most, patience=PATIENCE, start=start) as answer:
            keeps = start and getattr(answer, "status", None) == 206
            with partial.open("ab" if keeps else "wb") as file:
                self._copy(answer, file, label)
            if getattr(answer, "length", None):
                raise OSError("the answer was cut off")

    def _copy(self, answer: Any, file: Any, label: str) -> None:
        while chunk := answer.read(CHUNK):
            if shutil.disk_usage(self.directory).free < MIN_FREE:
                raise BundleError(f"{label} does not fit: {self.directory} has less than {format_size(MIN_FREE)} free")
            file.write(chunk)
            self.progress(len(chunk))


@contextmanager
def _locked(directory: Path, bundle: Path) -> Iterator[None]:
    """The directory, which exists, is locked. A lock that the previous command has removed since does not count."""
    for _ in range(MOST_LOCKS):
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
        try:
            file = (directory / LOCK).open("w")
        except FileNotFoundError:
            continue
        with file as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BundleError(f"another command creates {bundle}", "wait for it, or write another file") from None
            if _is_named(lock, directory / LOCK):
                yield
                return
    raise BundleError(f"cannot lock {directory}", f"look at it: ls -ld {shlex.quote(str(directory))}")


def _is_named(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _check(partial: Path, source: PartSource, label: str) -> None:
    with partial.open("rb") as file:
        found = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        size = os.fstat(file.fileno()).st_size
    if found != source.digest or source.size not in (None, size):
        partial.unlink()
        reason = f"{label} is not what was expected: expected {source.digest}, received {found}"
        raise BundleError(reason, "run it again; if it fails in the same way, ask who runs that server")
