"""Small bundles, written by the code under test."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fleethands.bundle.bundle import Bundle, part_name
from fleethands.bundle.index import BundleIndex, PackedArtifact, PackedPart
from fleethands.bundle.write import write_bundle

CONTENTS = (b"a manifest", b"weights" * 1000, b"", b"x" * 512)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def index_of(contents: tuple[bytes, ...] = CONTENTS, since: str = "", absent: tuple[bytes, ...] = ()) -> BundleIndex:
    """The index of a bundle with one model. `absent` are contents that an older bundle has."""
    parts = tuple(PackedPart(digest_of(each), len(each), each not in absent) for each in contents)
    digests = tuple(part.digest for part in parts)
    artifact = PackedArtifact("model", "codellama:7b", digests[0], digests)
    return BundleIndex("2026-11-30T10:00:00Z", ("gpu-1",), (artifact,), parts, since)


def write(
    place: Path, contents: tuple[bytes, ...] = CONTENTS, since: str = "", absent: tuple[bytes, ...] = ()
) -> Bundle:
    """Write a bundle, and its parts next to it."""
    for each in contents:
        (place.parent / part_name(digest_of(each))).write_bytes(each)
    write_bundle(place, index_of(contents, since, absent), lambda part: place.parent / part_name(part.digest))
    return Bundle.open(place)
