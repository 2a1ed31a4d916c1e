"""Ollama's release address: a real Ollama, built here from its Go module, in upstream's archive layout.

One build is linked under two version numbers, so that tests can upgrade and roll back. These are not upstream's
archives (no GPU libraries, 0.24.1 is 0.24.0's code), and `lib/ollama/LAB.txt` says so. Upstream's own `install.sh`
comes from the same module.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
from pathlib import Path

from tests.lab import cache
from tests.lab.internet import toolchain
from tests.lab.shell import run, step

MODULE = "github.com/ollama/ollama"
SOURCE = "0.24.0"
VERSIONS = ("0.24.0", "0.24.1")
MINIAUDIO = "github.com/gen2brain/malgo@v0.11.24"
RECIPE = "2"  # raise it to build the archives again
MARKER = """\
This Ollama was built by the fleethands lab from the Go module {module}@v{source}
(CPU only, no GPU libraries) and linked as version {version}. It is not upstream's release archive.
"""


def arch() -> str:
    """This machine's architecture in the words of Go and of Ollama's archives."""
    return {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]


def archive_name() -> str:
    """The file name that installers ask for."""
    return f"ollama-linux-{arch()}.tar.zst"


def place() -> Path:
    """Where the releases lie once tree() has built them."""
    return cache.root() / f"release-{cache.key(SOURCE, *VERSIONS, arch(), MINIAUDIO, RECIPE)}"


def tree() -> Path:
    """The directory of releases (`v0.24.0/ollama-linux-amd64.tar.zst`, …), built when missing."""
    return cache.made(place().name, _make)


def _make(place: Path) -> None:
    work = place.parent / "release-work"  # at one path always, so that the binaries come out the same
    toolchain.scrub(work)
    try:
        work.mkdir(parents=True)
        go = _go(work)
        for version in VERSIONS:
            with step(f"build Ollama {SOURCE}, linked as {version}"):
                binary = _build(go, work, version)
            _pack(binary, version, place / f"v{version}", work)
        shutil.copy(go.module(f"{MODULE}@v{SOURCE}") / "scripts/install.sh", place)
    finally:
        toolchain.scrub(work)


def _go(work: Path) -> toolchain.Go:
    """Go with the headers that a Go module cannot carry (its own are in a directory called `vendor`)."""
    go = toolchain.Go(work)
    include = work / "include"
    for package in ("nlohmann-json3-dev", "libstb-dev"):
        toolchain.unpack_debian(package, work / "debian")
    shutil.copytree(work / "debian/usr/include", include)
    (include / "miniaudio").mkdir()
    shutil.copy(go.module(MINIAUDIO) / "miniaudio.h", include / "miniaudio")
    go.env["CGO_CPPFLAGS"] = f"-I{include}"
    return go


def _build(go: toolchain.Go, work: Path, version: str) -> Path:
    flags = f"-s -w -X {MODULE}/version.Version={version}"
    go.env["GOBIN"] = str(work / "bin" / version)
    go.run("install", "-trimpath", "-ldflags", flags, f"{MODULE}@v{SOURCE}", timeout=2400)
    return work / "bin" / version / "ollama"


def _pack(binary: Path, version: str, place: Path, work: Path) -> None:
    """Upstream's layout, owner 0:0, with a fixed time, so that the same binary gives the same digest."""
    top = work / "pack" / version
    (top / "bin").mkdir(parents=True)
    (top / "lib/ollama").mkdir(parents=True)
    shutil.copy(binary, top / "bin/ollama")
    marker = MARKER.format(module=MODULE, source=SOURCE, version=version)
    (top / "lib/ollama/LAB.txt").write_text(marker)
    plain = work / "pack" / f"{version}.tar"
    fixed = ("--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--mode=go-w,a+rX")
    run("tar", *fixed, "-C", top, "-cf", plain, "bin", "lib")
    place.mkdir(parents=True)
    run("zstd", "-q", "-9", "-T1", plain, "-o", place / archive_name())
    with (place / archive_name()).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    (place / "sha256sum.txt").write_text(f"{digest}  ./{archive_name()}\n")
