"""Parts are named by their digests, and take no odd values of registries."""

from __future__ import annotations

import pytest

from fleethands.artifacts.artifact import Artifact, Part

HEX = "ab" * 32
URL = "https://registry.ollama.ai/v2/library/tiny/blobs/sha256:" + HEX


def test_part_has_its_path_and_its_row() -> None:
    part = Part(f"sha256:{HEX}", 5, URL)

    assert part.path == f"/var/lib/fleethands/artifacts/sha256-{HEX}"
    assert part.row == f"sha256:{HEX} 5 {URL}"
    assert Part(f"sha256:{HEX}", None, URL).row.split()[1] == "-"


@pytest.mark.parametrize(
    ("digest", "size", "url"),
    [
        (f"sha256:{HEX}/../../etc/passwd", 5, URL),
        (f"sha512:{HEX}", 5, URL),
        (f"sha256:{HEX}", -1, URL),
        (f"sha256:{HEX}", 1 << 60, URL),
        (f"sha256:{HEX}", 5, "https://x/\nsha256:"),
        (f"sha256:{HEX}", 5, "https://x/ y"),
        (f"sha256:{HEX}", 5, ""),
    ],
)
def test_odd_values_of_a_registry_are_refused(digest: str, size: int, url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Part(digest, size, url)


def test_a_part_that_is_named_twice_counts_once() -> None:
    part, other = Part(f"sha256:{HEX}", 5, URL), Part("sha256:" + "cd" * 32, 2, URL)

    assert Artifact("model", "tiny:latest", (part, other, part)).size == 7
    assert Artifact("model", "tiny:latest", (part, Part(other.digest, None, URL))).size is None
