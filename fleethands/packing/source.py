"""An artifact and the addresses that its parts are downloaded from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleethands.bundle.index import PackedArtifact


@dataclass(frozen=True)
class PartSource:
    """
    Where one part is downloaded from.

    + size: None if only the download says it
    + url: may have a user and a password, so it is neither printed nor written
    + content: the bytes of a part that is there already, such as a manifest
    """

    digest: str
    size: int | None
    url: str = ""
    content: bytes | None = None


@dataclass(frozen=True)
class ArtifactSource:
    """An artifact of a bundle that is created: what the index has of it, and the sources of its parts."""

    artifact: PackedArtifact
    sources: Mapping[str, PartSource] = field(default_factory=dict)
