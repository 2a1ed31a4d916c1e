"""One thing that a run brings to a host, and the files that it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fleethands import oci, paths
from fleethands.untrusted import MOST_COUNT, count, line

Kind = Literal["release", "model", "image"]


@dataclass(frozen=True)
class Part:
    """
    One file of an artifact. Raises ValueError for a digest, size or address that is none.

    + digest: `sha256:` and 64 hex digits
    + size: bytes, None if unknown
    + url: where upstream has it
    """

    digest: str
    size: int | None
    url: str

    def __post_init__(self) -> None:
        oci.digest(self.digest)
        if self.size is not None:
            count(self.size)
        if not line(self.url) or " " in self.url:
            raise ValueError("not an address")

    @property
    def path(self) -> str:
        """The file on a host, once it is complete and its digest is right. Before that its name ends in `.part`."""
        return f"{paths.ARTIFACTS}/{self.digest.replace(':', '-')}"

    @property
    def row(self) -> str:
        """The line of a list for scripts: `DIGEST SIZE URL`, the size is `-` if it is unknown."""
        return f"{self.digest} {'-' if self.size is None else self.size} {self.url}"


@dataclass(frozen=True)
class Artifact:
    """
    An Ollama release, a model or an image.

    + name: the version of a release, the name of a model as Ollama lists it, the image as declared
    + parts: its files. The first one of a model or an image is the manifest that its name stands for
    """

    kind: Kind
    name: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int | None:
        """Bytes of all parts, each counted once; None if one of them is unknown."""
        sizes = {part.digest: part.size for part in self.parts}
        if None in sizes.values():
            return None
        return count(sum(size or 0 for size in sizes.values()), MOST_COUNT)
