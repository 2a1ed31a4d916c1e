"""Finds models and images in their registries: manifests, and the blobs that they name. Both are untrusted data."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from fleethands import oci
from fleethands.bundle.errors import BundleError
from fleethands.bundle.index import PackedArtifact
from fleethands.operations.models.model_store import manifest_url
from fleethands.packing.source import ArtifactSource, PartSource
from fleethands.pinning import registry
from fleethands.pinning.registry import RegistryError
from fleethands.settings.pins import PIN
from fleethands.settings.schema.models import Model
from fleethands.settings.values.images import locate_image
from fleethands.untrusted import count, mapping, parse_json, rows

MOST_LAYERS = 2000
MOST_PART = 2 << 40  # bytes of one blob


def find_model(model: Model) -> ArtifactSource:
    """A model with its pinned digest, or the digest that its registry has now. Raises BundleError."""
    name, url = str(model.name), manifest_url(model)
    body = _fetch(name, url, "model", oci.MANIFEST)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if model.digest and digest != f"sha256:{model.digest}":
        raise BundleError(
            f"{name} moved: sha256:{model.digest} is pinned, and its registry has {digest}", f"{PIN} --only {name}"
        )
    blobs = url.rpartition("/manifests/")[0] + "/blobs/"
    parts = [PartSource(digest, len(body), content=body), *_blobs(name, body, blobs)]
    return _artifact("model", name, digest, "", parts)


def find_image(name: str, pinned: str | None, arch: str) -> ArtifactSource:
    """
    An image for one architecture.

    + pinned: digest of its manifest, or of its index of several architectures; None for what the tag means now

    Raises BundleError.
    """
    server, repository, tag = locate_image(name)
    base = f"https://{server}/v2/{quote(repository)}"
    body = _fetch(name, f"{base}/manifests/{pinned or tag}", "image", ", ".join(oci.IMAGE_TYPES))
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if pinned and digest != pinned:
        raise BundleError(f"{name}: {server} sent {digest} for {pinned}", "ask who runs that registry")
    parts = [PartSource(digest, len(body), content=body)]
    if (chosen := _choose(name, body, arch)) is not None:
        body = _fetch(name, f"{base}/manifests/{chosen}", "image", ", ".join(oci.IMAGE_TYPES))
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != chosen:
            raise BundleError(f"{name}: {server} sent another manifest for {chosen}", "ask who runs that registry")
        parts.append(PartSource(chosen, len(body), content=body))
    parts += _blobs(name, body, f"{base}/blobs/")
    return _artifact("image", name, digest, arch, parts)


def _artifact(kind: Any, name: str, digest: str, arch: str, parts: list[PartSource]) -> ArtifactSource:
    sources = {part.digest: part for part in parts}
    return ArtifactSource(PackedArtifact(kind, name, digest, tuple(sources), arch=arch), sources)


def _fetch(name: str, url: str, what: str, accept: str) -> bytes:
    answer = registry.fetch(url, what, accept)
    if isinstance(answer, RegistryError):
        raise BundleError(f"{name}: {answer.reason}", f"try it: curl -fIL {url}")
    return answer


def _blobs(name: str, manifest: bytes, base: str) -> list[PartSource]:
    """The configuration and the layers of a manifest."""
    try:
        found = mapping(parse_json(manifest))
        blobs = rows([found.get("config"), *rows(found.get("layers"), MOST_LAYERS)])
        named = [(oci.digest(blob.get("digest")), count(blob.get("size"), MOST_PART)) for blob in blobs]
    except ValueError as error:
        raise BundleError(f"{name}: its manifest is not valid: {error}", "ask who runs that registry") from None
    return [PartSource(digest, size, base + digest) for digest, size in named]


def _choose(name: str, body: bytes, arch: str) -> str | None:
    """The digest of the manifest for an architecture; None if the body is a manifest itself."""
    try:
        found = mapping(parse_json(body))
        if "manifests" not in found:
            return None
        listed = [
            (mapping(row.get("platform") or {}), oci.digest(row.get("digest"))) for row in rows(found["manifests"], 500)
        ]
    except ValueError as error:
        raise BundleError(f"{name}: its index is not valid: {error}", "ask who runs that registry") from None
    for platform, digest in listed:
        if (platform.get("os"), platform.get("architecture")) == ("linux", arch):
            return digest
    raise BundleError(f"{name} has no image for linux/{arch}", "leave that architecture out: --arch")
