"""The bundles of one run: a whole one, or older ones and their continuations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from fleethands.bundle.bundle import Bundle
from fleethands.bundle.index import Kind, PackedArtifact, PackedPart


@dataclass(frozen=True)
class BundleSet:
    """Bundles as they were named on the command line. What a later one has takes precedence."""

    bundles: tuple[Bundle, ...]

    @property
    def names(self) -> str:
        """The files in a message."""
        return " and ".join(str(each.path) for each in self.bundles)

    @cached_property
    def artifacts(self) -> tuple[PackedArtifact, ...]:
        """All artifacts, those of later bundles first."""
        return tuple(each for bundle in reversed(self.bundles) for each in bundle.index.artifacts)

    @cached_property
    def sources(self) -> dict[str, tuple[Bundle, PackedPart]]:
        """Digest → where the bytes of a part are."""
        return {part.digest: (bundle, part) for bundle in self.bundles for part in bundle.index.packed}

    def find(self, kind: Kind, name: str, version: str = "", arch: str = "") -> list[PackedArtifact]:
        """The artifacts with that name, those of later bundles first."""
        return [
            each
            for each in self.artifacts
            if (each.kind, each.name) == (kind, name) and each.version == version and each.arch in {"", arch}
        ]

    def size(self, kind: Kind, name: str, version: str = "", arch: str = "") -> int | None:
        """Bytes of the artifact with that name; None if there is none."""
        sizes = {part.digest: part.size for bundle in self.bundles for part in bundle.index.parts}
        found = self.find(kind, name, version, arch)
        return sum(sizes[digest] for digest in set(found[0].parts)) if found else None

    def packages(self, suite: str, arch: str) -> list[PackedArtifact]:
        """The packages for hosts of a suite: of the latest bundle that has any."""
        for bundle in reversed(self.bundles):
            found = [each for each in bundle.index.artifacts if (each.suite, each.arch) == (suite, arch) and suite]
            if found:
                return found
        return []

    def lacks(self, artifact: PackedArtifact) -> bool:
        """Whether bytes of an artifact are only in an older bundle, which was not named."""
        return any(digest not in self.sources for digest in artifact.parts)


def open_bundles(paths: Sequence[str]) -> BundleSet | None:
    """
    The bundles with these paths; None without any. Each file is read once, until it changes.

    Raises BundleError.
    """
    return _open(tuple((path, _stamp(path)) for path in paths)) if paths else None


@cache
def _open(files: tuple[tuple[str, tuple[int, int]], ...]) -> BundleSet:
    return BundleSet(tuple(Bundle.open(Path(path)) for path, _ in files))


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = Path(path).stat()
    except OSError:  # opening it reports the reason
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
