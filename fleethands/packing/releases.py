"""Finds the archives of Ollama's releases."""

from __future__ import annotations

from fleethands import web
from fleethands.bundle.errors import BundleError
from fleethands.bundle.index import PackedArtifact
from fleethands.operations.ollama import release_checksums
from fleethands.packing.source import ArtifactSource, PartSource
from fleethands.packing.wanted import WantedArchive
from fleethands.pinning import registry
from fleethands.pinning.registry import RegistryError


def find_archive(wanted: WantedArchive) -> ArtifactSource:
    """An archive with its checksum: the pinned one, or the one that its server lists. Raises BundleError."""
    digest = f"sha256:{wanted.sha256 or _listed_checksum(wanted)}"
    source = PartSource(digest, None, f"{wanted.url}/{wanted.name}")
    artifact = PackedArtifact("release", wanted.name, digest, (digest,), wanted.version, wanted.arch)
    return ArtifactSource(artifact, {digest: source})


def _listed_checksum(wanted: WantedArchive) -> str:
    place = f"{web.public_url(wanted.url)}/{release_checksums.NAME}"
    answer = registry.fetch(f"{wanted.url}/{release_checksums.NAME}", "release", most=release_checksums.MAX_BYTES)
    if isinstance(answer, RegistryError):
        raise BundleError(f"Ollama {wanted.version}: {answer.reason}", f"try it: curl -fIL {place}")
    try:
        found = release_checksums.parse_checksums(answer, {wanted.name})
    except ValueError as error:
        raise BundleError(f"{place}: {error}", "declare `ollama_sha256`") from None
    if wanted.name not in found:
        hint = "check `ollama_version` and `ollama_variant`, or leave out an architecture: --arch"
        raise BundleError(f"{place} lists no {wanted.name}", hint)
    return found[wanted.name]
