"""
Ollama's image, made of the lab's own release under upstream's name and settings (ollama Dockerfile, v0.32.15): the
libraries that the binary is linked to, and the binary. It is not upstream's image, and says so in its label.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.lab import cache
from tests.lab.internet import layers, release
from tests.lab.internet.registry import Registry
from tests.lab.shell import run

SETTINGS = {
    "Entrypoint": ["/bin/ollama"],
    "Cmd": ["serve"],
    "ExposedPorts": {"11434/tcp": {}},
    "Env": [
        "PATH=/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64",
        "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
        "NVIDIA_VISIBLE_DEVICES=all",
        "OLLAMA_HOST=0.0.0.0:11434",
    ],
}
REPOSITORY = "ollama/ollama"  # of docker.io
RECIPE = "1"


@dataclass(frozen=True)
class Ollama:
    """The image of one release."""

    version: str

    @property
    def name(self) -> str:
        return f"image ollama {self.version}"

    @property
    def reference(self) -> tuple[str, str]:
        return REPOSITORY, self.version

    def made_from(self) -> str:
        return cache.key(self.version, repr(SETTINGS), str(release.place()), RECIPE)

    def push(self, registry: Registry, work: Path) -> str:
        tree, top = work / "release", work / "layer"
        for place in (tree, top / "usr/bin", top / "usr/lib", top / "etc/ssl/certs", top / "tmp"):
            place.mkdir(parents=True)
        (top / "tmp").chmod(0o1777)
        for name in ("bin", "lib", "lib64"):
            (top / name).symlink_to(f"usr/{name}")
        archive = release.tree() / f"v{self.version}" / release.archive_name()
        run("tar", "--zstd", "-C", tree, "-xf", archive, timeout=60)
        (tree / "bin/ollama").rename(top / "usr/bin/ollama")
        (tree / "lib/ollama").rename(top / "usr/lib/ollama")
        _add_libraries(top)
        stack = [layers.packed(top, sorted(entry.name for entry in top.iterdir()), work)]
        config = layers.configuration({**SETTINGS, "Labels": self._labels()}, stack)
        return layers.push(registry, [self.reference], stack, config, REPOSITORY)

    def _labels(self) -> dict[str, str]:
        origin = f"built by the fleethands lab from its own release {self.version}; not the upstream image"
        return {"org.opencontainers.image.version": self.version, "io.fleethands.lab": origin}


def _add_libraries(top: Path) -> None:
    """Those of this machine, on which the binary was linked; the loader among them."""
    said = run("ldd", top / "usr/bin/ollama").stdout
    for path in map(Path, re.findall(r"(/\S+) \(0x", said)):
        place = top / "usr" / path.relative_to("/usr" if path.is_relative_to("/usr") else "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
