"""OpenHands images, built here from the packages that upstream publishes, under upstream's image names.

None is upstream's own image, and each says so in its label `io.fleethands.lab`. An image is the base file system that
all share, and a layer with what a script (openhands/NAME.sh) put below /opt and some files of ours; no Docker is needed
to build it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import cache
from tests.lab.internet import rootfs, store
from tests.lab.internet.registry import MANIFEST, Blob, Registry, compact
from tests.lab.internet.release import arch
from tests.lab.shell import run

SCRIPTS = Path(__file__).with_name("openhands")
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
EPOCH = "2026-01-01T00:00:00Z"
RECIPE = "2"  # to be raised when the images are to be made anew


@dataclass(frozen=True)
class Base:
    """The file system that all images share, in the registry as an image of its own."""

    name: str = "image base"
    repository: str = "fleethands-lab/base"

    @property
    def reference(self) -> tuple[str, str]:
        return self.repository, self.made_from()

    def made_from(self) -> str:
        return cache.key(rootfs.key(), RECIPE)

    def push(self, registry: Registry, work: Path) -> str:
        layer = _packed(rootfs.base(), ["."], work)
        config = _config({"Labels": {"io.fleethands.lab": "base of the lab's images"}}, [layer])
        return _push_image(registry, [self.reference], [layer], config)


@dataclass(frozen=True)
class Image:
    """One OpenHands image; `references` name it with the registry's host, as a `docker pull` does."""

    name: str
    title: str
    version: str
    origin: str
    references: tuple[str, ...]
    settings: Mapping[str, Any]
    directories: Sequence[tuple[str, int]] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> tuple[str, str]:
        return split(self.references[0])

    def made_from(self) -> str:
        parts = (*self._scripts(), *(SCRIPTS / name for name in self.files.values()))
        return cache.key(Base().made_from(), repr(self), *parts, RECIPE)

    def push(self, registry: Registry, work: Path) -> str:
        base = _base_layer(registry)
        top = work / "layer"
        install, rehearse = self._scripts()
        rootfs.build(install.read_text(), top / "opt", timeout=1200)
        _strip_libraries(top)
        rootfs.build(rehearse.read_text(), top / "opt", timeout=300)
        self._add_files(top)
        layer = _packed(top, sorted(entry.name for entry in top.iterdir()), work)
        config = _config({**self.settings, "Labels": self._labels()}, [base, layer])
        return _push_image(registry, [split(name) for name in self.references], [base, layer], config)

    def _scripts(self) -> tuple[Path, Path]:
        short = self.name.removeprefix("image ")
        return SCRIPTS / f"{short}-install.sh", SCRIPTS / f"{short}-rehearse.sh"

    def _labels(self) -> dict[str, str]:
        return {
            "org.opencontainers.image.title": self.title,
            "org.opencontainers.image.version": self.version,
            "io.fleethands.lab": f"built by the fleethands lab from {self.origin}; not the upstream image",
        }

    def _add_files(self, top: Path) -> None:
        for name, mode in self.directories:
            (top / name).mkdir(parents=True, exist_ok=True)
            (top / name).chmod(mode)
        for target, source in self.files.items():
            (top / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SCRIPTS / source, top / target)
            (top / target).chmod(0o755)


V0 = Image(
    name="image v0",
    title="OpenHands",
    version="0.62.0",
    origin="the PyPI wheel openhands-ai==0.62.0",
    references=("ghcr.io/all-hands-ai/openhands:main", "docker.openhands.dev/openhands/openhands:0.62"),
    settings={
        "Entrypoint": ["/usr/local/bin/openhands-entrypoint"],
        "Cmd": ["uvicorn", "openhands.server.listen:app", "--host", "0.0.0.0", "--port", "3000"],
        "ExposedPorts": {"3000/tcp": {}},
        "WorkingDir": "/app",
        "Env": [
            "PATH=/opt/oh/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "SANDBOX_USER_ID=0",
            "FILE_STORE=local",
            "FILE_STORE_PATH=/.openhands",
            "WORKSPACE_BASE=/opt/workspace_base",
            "SERVE_FRONTEND=false",
            "RUNTIME=cli",
            "LITELLM_LOCAL_MODEL_COST_MAP=True",
        ],
    },
    directories=((".openhands", 0o755), ("app", 0o755), ("opt/workspace_base", 0o755)),
    files={"usr/local/bin/openhands-entrypoint": "entrypoint-v0.sh"},
)
IMAGES: Mapping[str, Image] = {"v0": V0}


def _base_layer(registry: Registry) -> Layer:
    """The base's layer, which the registry holds."""
    base = Base()
    store.offered(base, registry)
    manifest = json.loads(registry.manifest(*base.reference) or b"{}")
    (layer,) = manifest["layers"]
    config = json.loads(registry.blob(base.repository, manifest["config"]["digest"]))
    return Layer(Blob(None, layer["digest"], layer["size"]), config["rootfs"]["diff_ids"][0])


@dataclass(frozen=True)
class Layer:
    """A layer in the registry's form, and the digest of its plain tar, which an image's configuration names."""

    blob: Blob
    plain: str


def _strip_libraries(top: Path) -> None:
    """Without symbols, a tenth of the image; libraries whose search path was patched in would not survive it."""
    libraries = [path for path in top.rglob("*.so*") if path.is_file() and not path.is_symlink()]
    plain = [path for path in libraries if ".libs" not in path.parent.name and b"$ORIGIN" not in path.read_bytes()]
    run("strip", "--strip-unneeded", *plain, timeout=300)


def _packed(top: Path, names: Sequence[str], work: Path) -> Layer:
    """A layer of these names below `top`; quick to make and to unpack rather than small."""
    plain, packed = work / "layer.tar", work / "layer.tar.gz"
    run("tar", "--numeric-owner", "--sort=name", "-C", top, "-cf", plain, *names, timeout=300)
    digest = Blob.of(plain).digest
    run("pigz", "-1", "--no-name", "--keep", plain, timeout=300)
    plain.unlink()
    return Layer(Blob.of(packed), digest)


def _config(settings: Mapping[str, Any], layers: Sequence[Layer]) -> Blob:
    history = [{"created": EPOCH, "created_by": "fleethands lab"} for _ in layers]
    rootfs_part = {"type": "layers", "diff_ids": [layer.plain for layer in layers]}
    common = {"architecture": arch(), "os": "linux", "created": EPOCH}
    return Blob.of(compact({**common, "config": dict(settings), "rootfs": rootfs_part, "history": history}))


def _push_image(
    registry: Registry, references: Sequence[tuple[str, str]], layers: Sequence[Layer], config: Blob
) -> str:
    """The image under all its names; the digest of its manifest."""
    described = [layer.blob.described(LAYER) for layer in layers]
    top = {"schemaVersion": 2, "mediaType": MANIFEST}
    manifest = compact({**top, "config": config.described(CONFIG), "layers": described})
    first, digest = references[0][0], ""
    blobs = [config, *(layer.blob for layer in layers)]
    for blob in blobs:
        if blob.source is None:
            registry.borrow(first, blob.digest, Base().repository)
        else:
            registry.push(first, blob)
    for repository, tag in references:
        if repository != first:
            for blob in blobs:
                registry.borrow(repository, blob.digest, first)
        digest = registry.tag(repository, tag, manifest)
    return digest


def split(reference: str) -> tuple[str, str]:
    """Repository and tag of a name that starts with its registry's host."""
    repository, _, tag = reference.partition("/")[2].rpartition(":")
    return repository, tag
