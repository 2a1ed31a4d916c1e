"""The wheel and the sdist of a commit, built two times in different places."""

from __future__ import annotations

import hashlib
import sys
import tarfile
from pathlib import Path

from fleethands.errors import FleethandsError
from tools.release.commands import run
from tools.release.commit import Commit

TOOLS = "install the locked tools: `rm .venv/ready; make .venv/ready`"


def build(commit: Commit, work: Path) -> list[Path]:
    """
    The sdist and the wheel, in a directory below `work`.

    The first wheel is built from the sdist, and the second one from the commit. So an sdist that lacks a file is found.

    Raises FleethandsError if the two builds differ in one byte.
    """
    first, second = work / "first", work / "a second directory"
    tree = commit.unpack(work / "tree")
    sdist = _build("sdist", tree, first, commit.epoch)
    files = [sdist, _build("wheel", _extract(sdist, work / "unpacked"), first, commit.epoch)]
    other = commit.unpack(work / "another tree")
    for kind, file in zip(("sdist", "wheel"), files, strict=True):
        if digest(_build(kind, other, second, commit.epoch)) != digest(file):
            raise FleethandsError(f"two builds of `{file.name}` differ", f"compare them by hand: `{_words(kind)}`")
    return files


def digest(file: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write_checksums(files: list[Path], place: Path) -> Path:
    """SHA256SUMS of these files, for `sha256sum --check`."""
    sums = place / "SHA256SUMS"
    sums.write_text("".join(f"{digest(file)}  {file.name}\n" for file in sorted(files)))
    return sums


def _words(kind: str) -> str:
    return f"python -m hatchling build -t {kind}"


def _build(kind: str, tree: Path, place: Path, epoch: int) -> Path:
    words = _words(kind).split()[1:]
    run(sys.executable, *words, "-d", place, cwd=tree, env={"SOURCE_DATE_EPOCH": str(epoch)}, hint=TOOLS)
    (file,) = place.glob("*.tar.gz" if kind == "sdist" else "*.whl")
    return file


def _extract(sdist: Path, place: Path) -> Path:
    with tarfile.open(sdist) as tar:
        tar.extractall(place, filter="data")
    (tree,) = place.iterdir()
    return tree
