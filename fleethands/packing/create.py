"""Creates a bundle."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fleethands.bundle.bundle import Bundle
from fleethands.bundle.errors import BundleError
from fleethands.bundle.index import BundleIndex, PackedPart
from fleethands.bundle.write import write_bundle
from fleethands.debian.suites import Suite
from fleethands.packing.distribution import find_packages
from fleethands.packing.part_cache import PartCache
from fleethands.packing.registries import find_image, find_model
from fleethands.packing.releases import find_archive
from fleethands.packing.source import ArtifactSource, PartSource
from fleethands.packing.wanted import WantedContents
from fleethands.text.format import format_size


@dataclass(frozen=True)
class BundleRequest:
    """
    What a bundle is created from.

    + hosts: names of the inventory
    + archs: amd64, arm64
    + suites: whose packages are packed
    + since: the older bundle, whose parts are left out
    """

    path: Path
    hosts: Collection[str]
    contents: WantedContents
    archs: tuple[str, ...]
    suites: tuple[Suite, ...] = ()
    mirrors: Mapping[str, str] = field(default_factory=dict)
    keyring: Path | None = None
    since: Bundle | None = None


@dataclass(frozen=True)
class Progress:
    """
    Where the progress of a creation goes.

    + say: called with a line for each step; begin: with the bytes to download; advance: with bytes that arrived
    """

    say: Callable[[str], None] = lambda _: None
    begin: Callable[[int], None] = lambda _: None
    advance: Callable[[int], None] = lambda _: None


def create_bundle(request: BundleRequest, progress: Progress) -> Bundle:
    """Find, download and pack everything. Raises BundleError, ArchiveError."""
    found = _find_artifacts(request, progress.say)
    sources = {digest: source for each in found for digest, source in each.sources.items()}
    old = set(request.since.index.part) if request.since else set()
    new = [source for digest, source in sources.items() if digest not in old]
    with PartCache.beside(request.path, progress.advance) as cache:
        _check_space(request.path, cache, new)
        progress.begin(cache.missing(new))
        labels = {digest: each.artifact.label for each in found for digest in each.sources}
        sizes = {source.digest: cache.fetch(source, labels[source.digest]) for source in new}
        progress.say("write the file")
        index = _build_index(request, found, sizes)
        request.path.with_name(f"{request.path.name}.partial").unlink(missing_ok=True)  # of a command that was killed
        write_bundle(request.path, index, lambda part: cache.path(part.digest))
        cache.clear()
    return Bundle.open(request.path)


def _find_artifacts(request: BundleRequest, say: Callable[[str], None]) -> list[ArtifactSource]:
    contents, found = request.contents, []
    say("ask for releases, models and images")
    found += [find_archive(archive) for archive in contents.archives]
    found += [find_model(model) for model in contents.models.values()]
    images = [(name, digest, arch) for name, digest in contents.images.items() for arch in request.archs]
    found += [find_image(*each) for each in images]
    for suite in request.suites:
        for arch in request.archs:
            say(f"read the packages of {suite.name} for {arch}")
            found += find_packages(suite, arch, contents.packages, request.mirrors, request.keyring)
    if not found:
        raise BundleError(
            "these hosts need nothing that a bundle could have", "look at their settings: fleethands check"
        )
    return found


def _build_index(request: BundleRequest, found: list[ArtifactSource], sizes: Mapping[str, int]) -> BundleIndex:
    old = request.since.index.part if request.since else {}
    digests = {digest: None for each in found for digest in each.sources}
    parts = [
        PackedPart(each, sizes[each]) if each in sizes else PackedPart(each, old[each].size, False) for each in digests
    ]
    return BundleIndex(
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        hosts=tuple(sorted(request.hosts)),
        artifacts=tuple(each.artifact for each in found),
        parts=tuple(parts),
        since=request.since.index.digest if request.since else "",
    )


def _check_space(path: Path, cache: PartCache, sources: list[PartSource]) -> None:
    """The parts are on the disk twice while the file is written."""
    needed = cache.missing(sources) + sum(source.size or 0 for source in sources)
    free = shutil.disk_usage(path.absolute().parent).free
    if needed > free:
        reason = f"creating {path.name} needs {format_size(needed)}, and its directory has {format_size(free)} free"
        raise BundleError(reason, "write it to a larger disk: -o FILE")
