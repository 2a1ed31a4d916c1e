"""Finds the packages of the distribution for bare hosts of a suite."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from fleethands.bundle.index import PackedArtifact
from fleethands.debian.errors import ArchiveError
from fleethands.debian.packages import Package
from fleethands.debian.resolve import read_packages, resolve_packages
from fleethands.debian.signature import find_keyring
from fleethands.debian.suites import Suite
from fleethands.packing.source import ArtifactSource, PartSource

ENGINE = "docker.io"
ENGINE_COMMAND = "docker-cli"  # since Debian 13 the command is a package of its own


def find_packages(
    suite: Suite, arch: str, names: Collection[str], mirrors: Mapping[str, str], keyring: Path | None
) -> list[ArtifactSource]:
    """The named packages of a suite, and all their dependencies. Raises ArchiveError."""
    packages = read_packages(suite, arch, mirrors, find_keyring(suite.distribution, keyring))
    wanted = set(names)
    if ENGINE in wanted and ENGINE_COMMAND in packages:
        wanted.add(ENGINE_COMMAND)
    return [_artifact(each, suite, arch) for each in resolve_packages(suite, sorted(wanted), packages)]


def _artifact(package: Package, suite: Suite, arch: str) -> ArtifactSource:
    try:
        source = PartSource(package.digest, package.size, package.url)
    except ValueError as error:
        raise ArchiveError(f"the index of {suite.name}: {error}", "try another mirror: --mirror NAME=URL") from None
    artifact = PackedArtifact(
        "package", package.name, source.digest, (source.digest,), package.version, arch, suite.name
    )
    return ArtifactSource(artifact, {source.digest: source})
