"""The upload of a release from the controller, for hosts without internet access."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fleethands import web
from fleethands.operations.core.upload import UploadError
from fleethands.operations.ollama import archive_cache, release_checksums

PREFIX = ".fleethands-release-"  # in the home of the SSH user, where release.sh finds the files
ZST = ".zst"


@dataclass(frozen=True)
class ReleaseUpload:
    """
    The archives of one release, which the controller sends.

    + digests: checksums as far as they are declared or pinned; sha256sum.txt has the others
    + plain: send them without zstd's compression, for hosts without zstd
    """

    url: str
    names: Sequence[str]
    digests: Mapping[str, str]
    plain: bool = False

    @property
    def checksums_url(self) -> str:
        """URL of the release's list of checksums."""
        return f"{web.public_url(self.url)}/{release_checksums.NAME}"

    @property
    def sent(self) -> tuple[str, ...]:
        """Names of the archives as they arrive."""
        return tuple(name.removesuffix(ZST) for name in self.names) if self.plain else tuple(self.names)

    def files(self) -> Iterator[tuple[str | IO[str], str]]:
        """
        Source and name on the host of each file. Archives are downloaded into the cache first.

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
        digests |= {name: archive_cache.sha256(place) for name, place in places.items() if name not in digests}
        yield from ((str(place), PREFIX + name) for name, place in places.items())
        yield io.StringIO("".join(f"{digest}  ./{name}\n" for name, digest in digests.items())), f"{PREFIX}sums"

    def _place(self, name: str, digest: str) -> tuple[str, Path]:
        """The archive's name on the host, and its path on the controller."""
        archive = archive_cache.fetch_cached(f"{self.url}/{name}", name, digest)
        if self.plain and name.endswith(ZST):
            return name.removesuffix(ZST), archive_cache.unpack_cached(archive)
        return name, archive

    def _digests(self) -> dict[str, str]:
        known = dict(self.digests)
        if not known.keys() >= set(self.names):
            content = web.fetch(f"{self.url}/{release_checksums.NAME}", most=release_checksums.MAX_BYTES)
            known = {**release_checksums.parse_checksums(content, self.names), **known}
        if missing := [name for name in self.names if name not in known]:
            raise UploadError(f"{self.checksums_url} names no {missing[0]}")
        return {name: known[name] for name in self.names}
