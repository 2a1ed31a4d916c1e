"""A release's list of sha256 digests (sha256sum.txt), as its server has it."""

from __future__ import annotations

import re
from collections.abc import Collection

NAME = "sha256sum.txt"
MAX_BYTES = 1 << 20  # bytes; upstream's has some 2000
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def parse_checksums(content: bytes, names: Collection[str]) -> dict[str, str]:
    """File → sha256 of those files that have one. Raises ValueError for a file with two."""
    found: dict[str, str] = {}
    for line in content.decode(errors="replace").splitlines():
        digest, _, name = line.strip().partition(" ")
        name, digest = name.strip().removeprefix("*").removeprefix("./"), digest.lower()
        if name not in names or not _DIGEST.match(digest):
            continue
        if found.setdefault(name, digest) != digest:
            raise ValueError(f"{NAME} lists two digests of {name}")
    return found
