"""One sparse btrfs file for every lab of this machine: a host is a snapshot, a state is a snapshot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import cache
from tests.lab.shell import CommandFailed, run

SIZE = "60G"


class Disk:
    """
    The file `disk.btrfs` of the cache, mounted at a lab's own mount point.

    The labs that are up share one loop device; the kernel lets go of it with the last of their mounts.
    """

    def __init__(self, mount: Path) -> None:
        self.root = mount

    def mount(self) -> None:
        """Mount it, and make the file first where there is none."""
        with cache.lock("disk"):
            if self.mounted():
                return
            self.root.mkdir(parents=True, exist_ok=True)
            options = "loop,noatime,discard=async"
            run("mount", "-t", "btrfs", "-o", options, _image(), self.root)
        for folder in ("bases", "labs", "states", "shared"):
            (self.root / folder).mkdir(exist_ok=True)

    def unmount(self) -> None:
        """Leave neither mount nor, once no other lab holds it, loop device."""
        with cache.lock("disk"):
            while self.mounted():
                run("umount", self.root)
            if self.root.is_dir():
                self.root.rmdir()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Mounted for as long as this lasts, and afterwards as before."""
        before = self.mounted()
        self.mount()
        try:
            yield
        finally:
            if not before:
                self.unmount()

    def mounted(self) -> bool:
        """Whether this lab's mount point carries it."""
        return os.path.ismount(self.root)

    def snapshot(self, source: Path, target: Path, *, read_only: bool = False) -> None:
        """Put a snapshot of `source` in the place of `target`, whole or not at all."""
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        self.delete(part)
        run("btrfs", "subvolume", "snapshot", *(["-r"] if read_only else []), source, part)
        self.delete(target)
        part.rename(target)

    def create(self, target: Path) -> None:
        """An empty subvolume in the place of whatever was there."""
        self.delete(target)
        run("btrfs", "subvolume", "create", target)

    def seal(self, part: Path, target: Path) -> None:
        """From now on read-only, and under its final name."""
        part.rename(target)
        run("btrfs", "property", "set", "-ts", target, "ro", "true")

    def delete(self, target: Path) -> None:
        """Remove a subvolume and all subvolumes in it."""
        if not target.exists():
            return
        try:
            run("btrfs", "subvolume", "delete", target)
        except CommandFailed:
            for nested in self._nested(target):
                run("btrfs", "subvolume", "delete", nested)
            run("btrfs", "subvolume", "delete", target)

    def _nested(self, target: Path) -> list[Path]:
        run("btrfs", "property", "set", "-ts", target, "ro", "false")
        listing = run("btrfs", "subvolume", "list", self.root).stdout.splitlines()
        paths = (self.root / line.split(" path ", 1)[1] for line in listing)
        return sorted((path for path in paths if target in path.parents), reverse=True)


def _image() -> Path:
    image = cache.root() / "disk.btrfs"
    if not image.exists():
        part = image.with_suffix(".part")
        part.unlink(missing_ok=True)
        run("truncate", "--size", SIZE, part)
        run("mkfs.btrfs", "--quiet", "--metadata", "single", part)
        part.rename(image)
    return image
