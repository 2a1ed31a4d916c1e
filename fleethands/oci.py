"""Manifests of models and images, as registries send them: media types, digests and sizes. They are untrusted data."""

from __future__ import annotations

import re
from typing import Any

from fleethands.untrusted import count, mapping, parse_json, rows

# Ollama asks for this type (ollama server/images.go, v0.32.15); registries answer 400 to a request without it
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
# an index before its parts: its digest is what a tag stands for on hosts of every architecture
IMAGE_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    MANIFEST,
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


def digest(value: Any) -> str:
    """A digest as `sha256:` and 64 hex digits. Raises ValueError for any other value."""
    if not isinstance(value, str) or not _DIGEST.match(value):
        raise ValueError("not a sha256 digest")
    return value


def size(manifest: Any) -> int:
    """
    Bytes of a manifest's configuration and of its layers, each counted once.

    + manifest: a JSON value, or the text of one

    Raises ValueError for all that is no manifest.
    """
    found = mapping(parse_json(manifest) if isinstance(manifest, bytes) else manifest)
    blobs = rows([found.get("config"), *rows(found.get("layers"))])
    return count(sum({digest(blob.get("digest")): count(blob.get("size")) for blob in blobs}.values()))


def check_image(body: bytes) -> None:
    """Raises ValueError for a text that is neither the manifest of an image nor an index of several."""
    found = mapping(parse_json(body))
    for part in rows(found["manifests"] if "manifests" in found else found.get("layers")):
        digest(part.get("digest"))
