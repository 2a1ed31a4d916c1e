"""A project as `fleethands init` lays it down, on a controller that finds the lab's internet by its names."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import fleet
from tests.lab.internet import authority
from tests.lab.internet.names import NAMES
from tests.lab.lab import Lab
from tests.lab.shell import run

INVENTORY = """import runpy as _runpy

_DATA = {data!r}
lab = [(name, {{**known, **_DATA}}) for name, known in _runpy.run_path({lab!r})["lab"] if name in {hosts!r}]
"""


@dataclass(frozen=True)
class Done:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What it said as JSON."""
        document: dict[str, Any] = json.loads(self.out)
        return document


@dataclass(frozen=True)
class Project:
    """A directory with deploy.py and inventory/lab.py."""

    place: Path
    names: Path
    hosts: tuple[str, ...]

    @classmethod
    def laid(cls, lab: Lab, place: Path, *hosts: str, **data: Any) -> Project:
        """
        Created in a directory that need not exist.

        + hosts: of the lab, that its inventory has
        + data: host data on top
        """
        done = run(fleet.FLEETHANDS, "init", place)
        assert done.returncode == 0
        names = place.with_name(f"{place.name}-hosts")
        names.write_text(f"127.0.0.1 localhost\n{lab.internet.address} {' '.join(NAMES)}\n")
        project = cls(place, names, hosts)
        project.declare(**data)
        return project

    @property
    def lockfile(self) -> Path:
        return self.place / "fleethands.lock"

    def declare(self, **data: Any) -> None:
        """The inventory's hosts, with these data on top of the lab's."""
        (self.place / "inventory/hosts.py").unlink(missing_ok=True)
        text = INVENTORY.format(data=data, lab=str(fleet.ROOT / "inventory/lab.py"), hosts=list(self.hosts))
        (self.place / "inventory/lab.py").write_text(text)

    def fleethands(self, *words: str, timeout: float = 420) -> Done:
        """`fleethands WORDS`, typed in the project's directory."""
        return self._typed([str(fleet.FLEETHANDS), *words], timeout)

    def pyinfra(self, *words: str, timeout: float = 420) -> Done:
        """Stock pyinfra, typed there."""
        return self._typed([str(fleet.PYINFRA), "inventory/lab.py", "deploy.py", *words], timeout)

    def _typed(self, words: list[str], timeout: float) -> Done:
        # the names are laid over the real ones in a mount namespace of the command's own
        inside = f"mount --bind {shlex.quote(str(self.names))} /etc/hosts && exec {shlex.join(words)}"
        outside = {"SSL_CERT_FILE": str(authority.certificate()), "NO_PROXY": "*", "no_proxy": "*"}
        environment = {"PYINFRA_PROGRESS": "off", **outside}
        if "FLEETHANDS_LAB" in os.environ:
            environment["FLEETHANDS_LAB"] = os.environ["FLEETHANDS_LAB"]
        command = ["unshare", "-m", "sh", "-c", inside]
        done = run(*command, cwd=self.place, check=False, env=environment, timeout=timeout)
        return Done(done.returncode, done.stdout, done.stderr)
