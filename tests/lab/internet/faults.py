"""What can be made to go wrong, and with what: a file per broken address, which a stand-in acts on.

nginx hands a request to the stand-in (standin.py) while `faults/PATH-OF-THE-REQUEST` exists, so switching on and off is
the making and removing of a file and counts from the next request on.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.internet import release, standin
from tests.lab.internet.process import Server
from tests.lab.internet.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Fault:
    """
    How an address misbehaves.

    + status: answers with this status instead
    + flip: changes one byte in the middle of the content
    + rate: bytes a second
    + cut: closes the connection after this many bytes of each answer; 0.5 is half of it
    + says: answers with this text instead
    + leads: redirects to this address
    + realm: with status 401, the address of the token server
    + endless: answers in chunks that never end; from a git server, with refs that never end
    + times: for this many requests only
    """

    status: int | None = None
    flip: bool = False
    rate: int | None = None
    cut: int | float | None = None
    says: str | None = None
    leads: str | None = None
    realm: str | None = None
    endless: bool = False
    times: int | None = None


def parse(words: Sequence[str]) -> Fault:
    """A fault as a person writes it: `status=500 times=2`, `flip=1`, `rate=100000`, `cut=0.5`."""
    values = dict(word.split("=", 1) for word in words)
    return Fault(**{key: json.loads(value) for key, value in values.items()})


class Faults:
    """The faults of one lab's internet."""

    def __init__(self, directory: Path, registry: Registry) -> None:
        self._directory, self._registry = directory, registry
        self._standin = Server("standin", directory)

    @contextmanager
    def on(self, fault: Fault, where: str) -> Iterator[list[str]]:
        """The fault at that place for the time of a `with`; gives the broken paths."""
        paths = self.switch_on(fault, where)
        try:
            yield paths
        finally:
            self.clear(paths)

    def switch_on(self, fault: Fault, where: str) -> list[str]:
        """
        The fault at that place until it is cleared; the paths that are broken now.

        + where: `archive:0.24.0`, `checksum:0.24.0`, `model:codellama:7b` (its weights),
          `manifest:codellama:7b`, `image:ghcr.io/all-hands-ai/openhands:main` (its largest layer),
          `git:OpenHands/OpenHands` (its refs), or the path of an address itself
        """
        self._start()
        paths = self._paths(where)
        for path in paths:
            file = self._file(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            part = self._directory / f"fault-{os.getpid()}.part"
            part.write_text(json.dumps(asdict(fault)))
            part.rename(file)
        return paths

    def clear(self, paths: Sequence[str] | None = None) -> None:
        """These paths, or all, are well again."""
        folder = self._directory / "faults"
        for file in map(self._file, paths) if paths is not None else sorted(folder.rglob("*")):
            if not file.is_dir():
                file.unlink(missing_ok=True)

    def stop(self) -> None:
        """All is well and the stand-in is gone."""
        self.clear()
        self._standin.stop()

    def _file(self, path: str) -> Path:
        return self._directory / "faults" / path.lstrip("/")

    def _start(self) -> None:
        socket = self._directory / "faults.sock"
        if self._standin.running():
            return
        socket.unlink(missing_ok=True)
        self._standin.start((sys.executable, standin.__file__, socket, self._directory / "origin.sock"))
        self._standin.wait(socket.exists)

    def _paths(self, where: str) -> list[str]:
        kind, _, name = where.partition(":")
        if where.startswith("/"):
            return [where]
        if kind in {"archive", "checksum"}:
            file = release.archive_name() if kind == "archive" else "sha256sum.txt"
            return [f"/ollama/v{name}/{file}"]
        if kind == "git":
            return [f"/{name}/info/refs"]
        if kind not in {"model", "manifest", "image"}:
            raise ValueError(f"{where!r}: not a place that can be broken")
        repository, reference = _split(name)
        if kind == "manifest":
            return [f"/v2/{repository}/manifests/{reference}"]
        return [f"/v2/{repository}/blobs/{self._largest(repository, reference)}"]

    def _largest(self, repository: str, tag: str) -> str:
        manifest = self._registry.manifest(repository, tag)
        if manifest is None:
            raise LookupError(f"{repository}:{tag} is not in the lab's registry")
        return str(max(json.loads(manifest)["layers"], key=lambda layer: layer["size"])["digest"])


def _split(name: str) -> tuple[str, str]:
    """Repository (a model's short name is below `library/`) and tag, without the registry's host name."""
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        path, tag = name, "latest"
    first, slash, rest = path.partition("/")
    if slash and "." in first:
        path = rest
    return (path if "/" in path else f"library/{path}"), tag
