"""
Builds an image: the base file system that all share, and one layer that scripts (openhands/NAME-*.sh) and some files
add. Docker is not needed. No image is upstream's, and the label `io.fleethands.lab` says so.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import cache
from tests.lab.internet import layers, rootfs, store
from tests.lab.internet.layers import Layer
from tests.lab.internet.registry import Blob, Registry

SCRIPTS = Path(__file__).with_name("openhands")
WRITABLE = SCRIPTS / "writable.sh"
RECIPE = "2"  # raise it to build the images again


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
        layer = layers.packed(rootfs.base(), ["."], work)
        config = layers.configuration({"Labels": {"io.fleethands.lab": "base of the lab's images"}}, [layer])
        return layers.push(registry, [self.reference], [layer], config, self.repository)

    def layer(self, registry: Registry) -> Layer:
        """Its layer, which the registry holds when this returns."""
        store.offered(self, registry)
        manifest = json.loads(registry.manifest(*self.reference) or b"{}")
        (layer,) = manifest["layers"]
        config = json.loads(registry.blob(self.repository, manifest["config"]["digest"]))
        return Layer(Blob(None, layer["digest"], layer["size"]), config["rootfs"]["diff_ids"][0])


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
        base = Base().layer(registry)
        top = self._make(work)
        self._add_files(top)
        layer = layers.packed(top, sorted(entry.name for entry in top.iterdir()), work)
        return self._push_all(registry, [base, layer])

    def _make(self, work: Path) -> Path:
        """The directory of the layer, without our files: here /opt is all that scripts may write to."""
        top = work / "layer"
        install, rehearse = self._scripts()
        rootfs.build(install.read_text(), top / "opt", timeout=1200)
        layers.strip_libraries(top)
        rootfs.build(rehearse.read_text(), top / "opt", timeout=300)
        return top

    def _push_all(self, registry: Registry, stack: Sequence[Layer]) -> str:
        config = layers.configuration({**self.settings, "Labels": self._labels()}, stack)
        names = [split(name) for name in self.references]
        return layers.push(registry, names, stack, config, Base().repository)

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


@dataclass(frozen=True)
class System(Image):
    """
    An image whose scripts may change the whole file system: Debian packages, users, their homes.

    + siblings: images of the same layers, with names and settings of their own; they come and go with this one
    """

    siblings: tuple[Image, ...] = ()

    def made_from(self) -> str:
        return cache.key(super().made_from(), WRITABLE)

    def _make(self, work: Path) -> Path:
        tree = work / "tree"
        install, rehearse = (_npm_registry() + WRITABLE.read_text() + script.read_text() for script in self._scripts())
        rootfs.build(install, tree, timeout=1200)
        layers.strip_libraries(tree / "upper/opt")
        rootfs.build(rehearse, tree, timeout=900)
        layers.translate_whiteouts(tree / "upper")
        return tree / "upper"

    def _push_all(self, registry: Registry, stack: Sequence[Layer]) -> str:
        for sibling in self.siblings:
            sibling._push_all(registry, stack)
        return super()._push_all(registry, stack)


def split(reference: str) -> tuple[str, str]:
    """Repository and tag of a name that starts with its registry's host."""
    repository, _, tag = reference.partition("/")[2].rpartition(":")
    return repository, tag


def _npm_registry() -> str:
    """A line for a script: npm asks what it asks on this machine. Its variables, if set, come by themselves."""
    files = [file for file in (Path.home() / ".npmrc", Path("/etc/npmrc")) if file.exists()]
    lines = [line.partition("=") for file in files for line in file.read_text().splitlines()]
    found = [value.strip() for key, _, value in lines if key.strip() == "registry"]
    return f"export npm_config_registry={shlex.quote(found[0])}\n" if found else ""
