"""The state of one host as one value. A section that could not be read is unknown, never absent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, TypeVar

from fleethands import paths
from fleethands.facts.apt import Apt
from fleethands.facts.directories import Directories, move_home
from fleethands.facts.docker import Docker
from fleethands.facts.files import ABSENT, File
from fleethands.facts.gpu import Gpu
from fleethands.facts.lock import LockState
from fleethands.facts.network import Firewall, Listener
from fleethands.facts.ollama import ModelStore, Ollama, Process, Release
from fleethands.facts.record import Record
from fleethands.facts.sentinel import SentinelResult
from fleethands.facts.service import Service
from fleethands.facts.system import Accounts, Space, System
from fleethands.facts.to_json import all_fields, to_json
from fleethands.facts.units import Unit
from fleethands.facts.upstream import Upstream

T = TypeVar("T")


@dataclass(frozen=True)
class Unknown:
    """
    A section that could not be read.

    + timed_out: whether the host did not answer in time
    + lacks: the command that is missing on the host
    """

    reason: str
    timed_out: bool = False
    lacks: str = ""


@lru_cache(1024)
def _parents(path: str) -> frozenset[str]:
    return frozenset(str(parent) for parent in PurePosixPath(path).parents)


RESTARTS = {"docker": "docker", "ollama": "ollama"}  # section → systemd unit of the daemon that answers it


class UnknownSection(ValueError):
    """An operation needs a section that could not be read."""

    def __init__(self, section: str, unknown: Unknown) -> None:
        super().__init__(f"cannot tell the state of {section}: {unknown.reason}")
        unit = RESTARTS.get(section)
        restart = f"on the host: systemctl restart {unit}; its log: journalctl -u {unit} -n 30"
        self.hints: tuple[str, ...] = (restart,) if unit and unknown.timed_out else ()


@dataclass(frozen=True)
class Probe:
    """
    One host, as it was when it answered, or as it is predicted to be.

    + sections: name → value, or Unknown

    Each section has a property, which raises UnknownSection.

    Example:

        if probe.files["/etc/motd"].kind == "absent":
            later = probe.with_file("/etc/motd", File("file", content=b"hello"))
    """

    sections: Mapping[str, Any]

    def _known(self, name: str, _kind: type[T]) -> T:
        value: Any = self.sections[name]
        if isinstance(value, Unknown):
            raise UnknownSection(name, value)
        return value

    @property
    def system(self) -> System:
        return self._known("system", System)

    @property
    def disk(self) -> dict[str, Space]:
        return self._known("disk", dict)

    @property
    def gpu(self) -> Gpu:
        return self._known("gpu", Gpu)

    @property
    def packages(self) -> frozenset[str]:
        return self._known("packages", frozenset)

    @property
    def apt(self) -> Apt:
        """A simulated installation. It is empty where nothing is missing, or the section is unknown."""
        found = self.sections["apt"]
        return found if isinstance(found, Apt) else Apt()

    @property
    def accounts(self) -> Accounts:
        return self._known("accounts", Accounts)

    @property
    def files(self) -> dict[str, File]:
        return self._known("files", dict)

    @property
    def releases(self) -> dict[str, Release]:
        return self._known("releases", dict)

    @property
    def units(self) -> dict[str, Unit]:
        return self._known("units", dict)

    @property
    def service(self) -> Service:
        return self._known("service", Service)

    @property
    def process(self) -> Process | None:
        """The main process of ollama.service, None where it does not run."""
        found: Process | None = self._known("process", object)  # type: ignore[assignment]
        return found

    @property
    def ollama(self) -> Ollama:
        return self._known("ollama", Ollama)

    @property
    def models(self) -> dict[str, str]:
        """Name as Ollama lists it → digest."""
        return self._known("models", dict)

    @property
    def store(self) -> ModelStore:
        return self._known("store", ModelStore)

    @property
    def directories(self) -> Directories:
        return self._known("directories", Directories)

    @property
    def home(self) -> str:
        """The home of Ollama's service."""
        return self.directories.home

    @property
    def at_home(self) -> Probe:
        """The same probe, with the paths that were asked for in upstream's home moved into the service's own home."""
        if not self.knows("directories") or self.home == paths.OLLAMA_HOME:
            return self
        moved = {name: move_home(self.sections[name], self.home) for name in ("files", "disk")}
        inside = replace(
            self.directories,
            **{name: move_home(getattr(self.directories, name), self.home) for name in ("leads", "barred")},
        )
        return self.replace(**moved, directories=inside)

    @property
    def lock(self) -> LockState:
        return self._known("lock", LockState)

    @property
    def docker(self) -> Docker:
        return self._known("docker", Docker)

    @property
    def firewall(self) -> Firewall:
        return self._known("firewall", Firewall)

    @property
    def sockets(self) -> tuple[Listener, ...]:
        return self._known("sockets", tuple)

    @property
    def upstream(self) -> Upstream:
        """What this host lacks and could download. It is empty where the section is unknown."""
        found = self.sections["upstream"]
        return found if isinstance(found, Upstream) else Upstream()

    @property
    def sentinel(self) -> SentinelResult | None:
        """What the sentinel of this host found last; None before its first proof, and if that is unknown."""
        files = self.files if self.knows("files") else {}
        return SentinelResult.parse(files.get(paths.SENTINEL_STATE, ABSENT).content)

    def knows(self, section: str) -> bool:
        """Whether a section could be read."""
        return not isinstance(self.sections[section], Unknown)

    @property
    def _record(self) -> dict[str, Any] | None:
        """The current release record without its settings, which stay on the host."""
        known = (
            Record.parse(self.files[paths.CURRENT_RECORD].content)
            if self.knows("files") and paths.CURRENT_RECORD in self.files
            else None
        )
        if known is None:
            return None
        speed = known.speed.to_json() if known.speed else None
        return {name: value for name, value in known.__dict__.items() if name != "declared"} | {"speed": speed}

    def to_json(self, secrets: Collection[str] = ()) -> dict[str, Any]:
        """
        This host as JSON: section → value, or `{"unknown": reason}`.

        + secrets: names of environment variables that are declared secret. Those that the host itself keeps as secrets
          are hidden too, because they may no longer be declared.
        """
        secrets = {*secrets, *self._secrets}
        return {
            name: {"unknown": value.reason} if isinstance(value, Unknown) else to_json(value, secrets)
            for name, value in {**self.sections, "files": self._public_files}.items()
        } | {"record": self._record, "sentinel": None if self.sentinel is None else all_fields(self.sentinel)}

    @property
    def _public_files(self) -> Any:
        """The files, without the content of those in a directory that not every user may enter."""
        files = self.sections["files"]
        if isinstance(files, Unknown):
            return files
        closed = {path for path, each in files.items() if each.kind == "directory" and not each.is_open}
        hidden = {path for path, each in files.items() if each.content is not None and closed & _parents(path)}
        return {path: replace(each, content=None) if path in hidden else each for path, each in files.items()}

    @property
    def _secrets(self) -> list[str]:
        files = self.sections["files"]
        content = b"" if isinstance(files, Unknown) else files.get(paths.OLLAMA_SECRETS, ABSENT).content or b""
        return [line.partition("=")[0] for line in content.decode(errors="replace").splitlines()]

    def replace(self, **sections: Any) -> Probe:
        """This host with some sections changed. Example: `probe.replace(models={})`."""
        return replace(self, sections={**self.sections, **sections})

    def with_file(self, path: str, state: File) -> Probe:
        """This host with one file changed."""
        return self.replace(files={**self.files, path: state})
