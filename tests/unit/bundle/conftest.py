"""A small bundle, written by the code under test."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from fleethands.bundle.bundle import Bundle, part_name
from fleethands.bundle.index import BundleIndex, PackedArtifact, PackedPart
from fleethands.bundle.write import write_bundle

CONTENTS = (b"a manifest", b"weights" * 1000, b"", b"x" * 512)
Write = Callable[..., Bundle]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def index_of(contents: tuple[bytes, ...], since: str = "", absent: tuple[bytes, ...] = ()) -> BundleIndex:
    parts = tuple(PackedPart(digest_of(each), len(each), each not in absent) for each in contents)
    digests = tuple(part.digest for part in parts)
    artifact = PackedArtifact("model", "codellama:7b", digests[0], digests)
    return BundleIndex("2026-11-30T10:00:00Z", ("gpu-1",), (artifact,), parts, since)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a bundle of some contents."""

    def write(contents: tuple[bytes, ...] = CONTENTS, name: str = "fleet.bundle", **options: object) -> Bundle:
        for each in contents:
            (tmp_path / part_name(digest_of(each))).write_bytes(each)
        path = tmp_path / name
        write_bundle(path, index_of(contents, **options), lambda part: tmp_path / part_name(part.digest))  # type: ignore[arg-type]
        return Bundle.open(path)

    return write
