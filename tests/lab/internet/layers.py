"""Layers and configurations of container images, in the registry's form."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.internet.registry import MANIFEST, Blob, Registry, compact
from tests.lab.internet.release import arch
from tests.lab.shell import run

CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
EPOCH = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Layer:
    """A layer in the registry's form, and the digest of its plain tar, which an image's configuration names."""

    blob: Blob
    plain: str


def packed(top: Path, names: Sequence[str], work: Path) -> Layer:
    """A layer of these names below `top`; quick to make and to unpack rather than small."""
    plain, packed = work / "layer.tar", work / "layer.tar.gz"
    run("tar", "--numeric-owner", "--sort=name", "-C", top, "-cf", plain, *names, timeout=300)
    digest = Blob.of(plain).digest
    run("pigz", "-1", "--no-name", "--keep", plain, timeout=300)
    plain.unlink()
    return Layer(Blob.of(packed), digest)


def strip_libraries(top: Path) -> None:
    """Without symbols, a tenth of the image; libraries whose search path was patched in would not survive it."""
    files = [path for path in top.rglob("*.so*") if path.is_file() and not path.is_symlink()]
    plain = [path for path in files if ".libs" not in path.parent.name and _can_be_stripped(path.read_bytes())]
    if plain:
        run("strip", "--strip-unneeded", *plain, timeout=300)


def translate_whiteouts(top: Path) -> None:
    """Files that an overlay hides, said in the way of images."""
    for path in list(top.rglob("*")):
        status = path.lstat()
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            path.unlink()
            path.with_name(f".wh.{path.name}").touch()


def configuration(settings: Mapping[str, Any], layers: Sequence[Layer]) -> Blob:
    """What a container of these layers starts with."""
    history = [{"created": EPOCH, "created_by": "fleethands lab"} for _ in layers]
    rootfs_part = {"type": "layers", "diff_ids": [layer.plain for layer in layers]}
    common = {"architecture": arch(), "os": "linux", "created": EPOCH}
    return Blob.of(compact({**common, "config": dict(settings), "rootfs": rootfs_part, "history": history}))


def push(
    registry: Registry, references: Sequence[tuple[str, str]], layers: Sequence[Layer], config: Blob, lender: str
) -> str:
    """
    The image under all its names; the digest of its manifest.

    + lender: repository that holds what is only known by name here
    """
    described = [layer.blob.described(LAYER) for layer in layers]
    top = {"schemaVersion": 2, "mediaType": MANIFEST}
    manifest = compact({**top, "config": config.described(CONFIG), "layers": described})
    first, digest = references[0][0], ""
    blobs = [config, *(layer.blob for layer in layers)]
    for blob in blobs:
        if blob.source is None:
            registry.borrow(first, blob.digest, lender)
        else:
            registry.push(first, blob)
    for repository, tag in references:
        if repository != first:
            for blob in blobs:
                registry.borrow(repository, blob.digest, first)
        digest = registry.tag(repository, tag, manifest)
    return digest


def _can_be_stripped(library: bytes) -> bool:
    return library.startswith(b"\x7fELF") and b"$ORIGIN" not in library
