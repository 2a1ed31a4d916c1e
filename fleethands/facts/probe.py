"""The observed state of one host as one value. A section that could not be read is unknown, never absent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from fleethands import paths
from fleethands.facts.document import plain
from fleethands.facts.gpu import Gpu
from fleethands.facts.lock import Locking
from fleethands.facts.record import Record
from fleethands.facts.service import Service
from fleethands.facts.upstream import Upstream

T = TypeVar("T")


@dataclass(frozen=True)
class Unknown:
    """Why a section could not be read; timed_out: it did not answer."""

    reason: str
    timed_out: bool = False


WORLD_READABLE = 0o004
RESTARTS = {"docker": "docker", "ollama": "ollama"}  # sections that a daemon answers for, and its unit


class UnknownSection(ValueError):
    """Something was asked of a section that could not be read; `hints` say what to do."""

    def __init__(self, section: str, unknown: Unknown) -> None:
        super().__init__(f"cannot tell the state of {section}: {unknown.reason}")
        unit = RESTARTS.get(section)
        restart = f"on the host: systemctl restart {unit}; its last words: journalctl -u {unit} -n 30"
        self.hints: tuple[str, ...] = (restart,) if unit and unknown.timed_out else ()


@dataclass(frozen=True)
class System:
    """clock: seconds since 1970; skew: how far it is ahead of the controller's, or behind (negative), in seconds."""

    uid: int
    arch: str
    kernel: str
    clock: int
    os_id: str
    os_version: str
    os_name: str
    systemd: str | None
    skew: int = 0

    @property
    def wsl(self) -> bool:
        """Windows' kernel names itself."""
        return "microsoft" in self.kernel.lower()


@dataclass(frozen=True)
class Space:
    """Room for a user that is not root; places of one device share it."""

    free_kib: int
    writable: bool
    device: str = ""


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int
    home: str
    groups: frozenset[str]


@dataclass(frozen=True)
class Accounts:
    users: Mapping[str, Account]
    groups: frozenset[str]


@dataclass(frozen=True)
class File:
    """
    kind: absent, file, directory, link or other; owner is `user:group`; content of files up to 64 KiB.

    mtime in seconds since 1970; 0 for links and what is foreseen.
    """

    kind: str
    mode: str = ""
    uid: int = -1
    gid: int = -1
    owner: str = ""
    content: bytes | None = None
    target: str = ""
    mtime: int = field(default=0, compare=False)

    @property
    def is_public(self) -> bool:
        """Whether everybody on the host may read it, or there is nothing to read."""
        return self.kind == "absent" or bool(int(self.mode or "0", 8) & WORLD_READABLE)


ABSENT = File("absent")


WHOLE = "whole"


@dataclass(frozen=True)
class Release:
    """
    An unpacked Ollama: its main archive's digest, and whether its binary is still the one unpacked.

    + variant: what of its archives was unpacked: whole, cpu, rocm, jetpack5, jetpack6
    """

    sha256: str
    intact: bool
    variant: str = WHOLE


@dataclass(frozen=True)
class Unit:
    load: str
    active: str
    sub: str
    enabled: str
    pid: int
    need_reload: bool
    drop_ins: tuple[str, ...]
    fragment: str
    restarts: int
    result: str


@dataclass(frozen=True)
class Process:
    """Ollama's main process; `started` in clock ticks since the host's boot."""

    pid: int
    started: int
    exe: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Ollama:
    """
    version None: nothing listens.

    + tools, context: whether the model that OpenHands is to have takes tools, and its longest context in tokens; None
      where Ollama does not say
    """

    version: str | None = None
    tools: bool | None = None
    context: int | None = None


@dataclass(frozen=True)
class Made:
    """What a model was made from: sha256 of the Modelfile, digests of its base and of the model itself."""

    text: str
    base: str
    digest: str


@dataclass(frozen=True)
class Store:
    """
    What we know of models beside their manifests.

    + unfinished: names whose pull runs, or ended without a word
    + made: name → what it was made from
    + loaded: name → digest, as the process (pid, started) was asked to load them
    """

    unfinished: frozenset[str] = frozenset()
    made: Mapping[str, Made] = field(default_factory=dict)
    loaded: Mapping[str, str] = field(default_factory=dict)
    process: tuple[int, int] | None = None


@dataclass(frozen=True)
class Container:
    """image: its id; tag: the name that the container was made with."""

    id: str
    state: str
    image: str
    labels: Mapping[str, str]
    started: str
    tag: str = ""


@dataclass(frozen=True)
class Docker:
    """
    version None: installed, but the daemon does not run.

    image: id of the image in question; digests: those by which registries know it.
    publishers: (port, name) of containers, not ours, that publish a port of ours.
    gone: ids of images of release records that are not here any more.
    """

    installed: bool
    version: str | None = None
    container: Container | None = None
    image: str | None = None
    digests: frozenset[str] = frozenset()
    publishers: tuple[tuple[int, str], ...] = ()
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Firewall:
    """loaded: sha256 of the table as nft lists it; None where there is none."""

    installed: bool
    loaded: str | None = None


@dataclass(frozen=True)
class Listener:
    """process empty and pid 0: the kernel does not tell."""

    port: int
    address: str
    process: str
    pid: int = 0


@dataclass(frozen=True)
class Probe:
    """One host, as it was when it was asked."""

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
    def store(self) -> Store:
        return self._known("store", Store)

    @property
    def lock(self) -> Locking:
        return self._known("lock", Locking)

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
        """What is offered of that which this host lacks; empty when it could not be asked."""
        found = self.sections["upstream"]
        return found if isinstance(found, Upstream) else Upstream()

    def knows(self, section: str) -> bool:
        """Whether a section could be read."""
        return not isinstance(self.sections[section], Unknown)

    @property
    def _record(self) -> dict[str, Any] | None:
        """What was applied here last, when and by whom; the settings of then stay on the host."""
        known = (
            Record.parse(self.files[paths.RECORD].content)
            if self.knows("files") and paths.RECORD in self.files
            else None
        )
        if known is None:
            return None
        return {name: value for name, value in known.__dict__.items() if name != "declared"}

    def document(self, secrets: Collection[str] = ()) -> dict[str, Any]:
        """
        This host as JSON takes it: a section's name → its value, or `{"unknown": reason}`.

        + secrets: names of environment variables that are declared secret; so are those that the host has as secrets,
          which may not be declared any more
        """
        secrets = {*secrets, *self._secrets}
        return {
            name: {"unknown": value.reason} if isinstance(value, Unknown) else plain(value, secrets)
            for name, value in self.sections.items()
        } | {"record": self._record}

    @property
    def _secrets(self) -> list[str]:
        files = self.sections["files"]
        content = b"" if isinstance(files, Unknown) else files.get(paths.OLLAMA_SECRETS, ABSENT).content or b""
        return [line.partition("=")[0] for line in content.decode(errors="replace").splitlines()]

    def having(self, **sections: Any) -> Probe:
        """This host as it would be with some sections changed."""
        return replace(self, sections={**self.sections, **sections})

    def with_file(self, path: str, state: File) -> Probe:
        """This host as it would be with one file changed."""
        return self.having(files={**self.files, path: state})
