"""What the hosts of one lab share: its directory and its base systems."""

from __future__ import annotations

import hashlib
import re
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock

from tests.lab.access import Access
from tests.lab.base import base
from tests.lab.disk import Disk
from tests.lab.network import Network

STATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PATIENCE = 1800  # seconds; another run may be building base systems


class NoSuchState(LookupError):
    """There is no state of that name."""


class Site:
    """The ground of the lab whose state directory is `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ident = hashlib.sha256(str(self.directory).encode()).hexdigest()[:6]
        self.disk = Disk(self.directory / "disk")
        self.network = Network(self.ident, self.directory / "lab.json")
        self.access = Access(self.directory)
        self.hosts = self.disk.root / "labs" / self.ident
        self.states = self.disk.root / "states" / self.ident
        self._locks: dict[str, FileLock] = {}

    @property
    def group(self) -> str:
        """The control group above those of its hosts."""
        return f"fh{self.ident}"

    def lock(self, name: str) -> AbstractContextManager[object]:
        """One thread at a time of all runs on this lab; the same thread may take it again."""
        locks = self.directory / "locks"
        locks.mkdir(exist_ok=True)
        return self._locks.setdefault(name, FileLock(locks / name, timeout=PATIENCE))

    def base(self, name: str) -> Path:
        """The base system `name`, made when missing."""
        return base(self.disk, name)

    def state(self, name: str) -> Path:
        """The snapshot that keeps the state `name`, this lab's own before one that labs share."""
        for place in (self.states, self.disk.root / "shared"):
            if (place / name).is_dir():
                return place / name
        known = ", ".join(self.state_names()) or "none"
        raise NoSuchState(f"no state {name!r} is saved (saved: {known})")

    def place_for_state(self, name: str, shared: bool) -> Path:
        """Where to put the state `name`."""
        if not STATE_NAME.fullmatch(name) or name == "clean" or name.endswith(".part"):
            raise ValueError(f"{name!r} cannot name a state: letters, digits, . _ - and not `clean`")
        return (self.disk.root / "shared" if shared else self.states) / name

    def state_names(self) -> list[str]:
        """All states that a host can be brought to, but `clean`."""
        places = (self.states, self.disk.root / "shared")
        paths = [path for place in places if place.is_dir() for path in place.iterdir()]
        return sorted({path.name for path in paths if path.suffix != ".part"})

    def claim(self) -> None:
        """Note whose the lab is, and clear away the snapshots of labs whose directory is gone."""
        owners = self.disk.root / "owners"
        owners.mkdir(exist_ok=True)
        (owners / self.ident).write_text(str(self.directory))
        for owner in owners.iterdir():
            if not Path(owner.read_text()).exists():
                self.clear(self.disk.root / "labs" / owner.name)
                self.clear(self.disk.root / "states" / owner.name)
                owner.unlink()

    def clear(self, folder: Path) -> None:
        """Remove a folder of snapshots."""
        if folder.is_dir():
            for path in folder.iterdir():
                self.disk.delete(path) if path.is_dir() else path.unlink()
            folder.rmdir()
