"""The lab's internet: real host names, TLS, a real docker-registry and Ollama's release address, at one address."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from filelock import FileLock

from tests.lab.internet import authority, configuration, images, models, names, release, repositories, store
from tests.lab.internet.faults import Fault, Faults
from tests.lab.internet.process import Server
from tests.lab.internet.registry import Registry, UnixConnection
from tests.lab.internet.repositories import Repository

SOCKET_PATH_LIMIT = 107  # of the kernel


@dataclass(frozen=True)
class Request:
    """One request as nginx logged it, when it had ended."""

    time: float
    client: str
    host: str
    method: str
    path: str
    status: int
    sent: int
    range: str
    agent: str

    @property
    def is_look(self) -> bool:
        """fleethands reads the header of a model and its parameters. Ollama's own agent names its platform."""
        return "/library/" in self.path and "(" not in self.agent


class Internet:
    """
    nginx and docker-registry for one lab.

    + directory: configuration, sockets, pid files, logs and switched-on faults; the served files are in the cache
    + address: of this machine; only its port 443 is open
    """

    def __init__(self, directory: Path, address: str) -> None:
        self.directory, self.address = directory.absolute(), address
        self.registry = Registry(self.directory / "registry.sock")
        self.faults = Faults(self.directory, self.registry)
        self._registry = Server("registry", self.directory)
        self._nginx = Server("nginx", self.directory)
        self._git = Server("git", self.directory)
        if len(str(self.registry.socket)) > SOCKET_PATH_LIMIT:
            raise ValueError(f"{self.registry.socket}: longer than a Unix socket's path may be")

    def start(self) -> None:
        """Both servers answer when this returns, whatever state they were in; what runs well is left alone."""
        with self._lock():
            self._write_configuration()
            registry = ("docker-registry", "serve", self.directory / "registry.yml")
            self._start(self._registry, registry, "registry.sock", self._registry_answers)
            errors, settings = self.directory / "nginx-errors.log", self.directory / "nginx.conf"
            nginx = ("nginx", "-e", errors, "-p", self.directory, "-c", settings)
            self._start(self._nginx, nginx, "origin.sock", self._answers)

    def stop(self) -> None:
        """No process of it is left, and no fault is on; logs stay."""
        if not self.directory.exists():
            return
        with self._lock():
            for server in (self._nginx, self._registry, self._git):
                server.stop()
            self.faults.stop()

    def running(self) -> bool:
        """Whether both servers run and answer."""
        return self._nginx.running() and self._registry.running() and self._answers()

    def fill(self) -> None:
        """Everything the demo needs: releases, models, Ollama's images and the guide's OpenHands image."""
        release.tree()
        for model in models.MODELS:
            store.offered(model, self.registry)
        for image in images.OLLAMA.values():
            store.offered(image, self.registry)
        self.offer("v0")

    def offer(self, *what: str) -> None:
        """Have these OpenHands images (`v0`, `v1`, `canvas`) in the registry, built when missing."""
        for name in what:
            store.offered(images.IMAGES[name], self.registry)

    def offer_repositories(self) -> dict[str, Repository]:
        """The stand-ins of upstream's git repositories at github.com, as they were made; built when missing."""
        with self._lock():
            repositories.copied(self.directory / "git")
            socket = self.directory / "git.sock"
            self._start(self._git, ("fcgiwrap", "-c", "2", "-s", f"unix:{socket}"), socket.name, socket.exists)
        return {name: Repository(self.directory / f"git/{name}.git") for name in repositories.TAGS}

    def requests(self, since: float = 0) -> list[Request]:
        """Every request that has ended after `since` (as time.time() has it), oldest first."""
        log = self.directory / "requests.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        return [known for known in (Request(**json.loads(line)) for line in lines) if known.time >= since]

    def fault(self, fault: Fault, where: str) -> AbstractContextManager[list[str]]:
        """Something broken for the time of a `with`; see faults.py for what and where."""
        return self.faults.on(fault, where)

    def clear_faults(self) -> None:
        """All is well again."""
        self.faults.clear()

    def _write_configuration(self) -> None:
        """Write the configuration. Stops a server that runs with another one, so that it starts again."""
        (self.directory / "temp").mkdir(exist_ok=True)
        files = {
            self._registry: ("registry.yml", configuration.registry(store.place(), self.registry.socket)),
            self._nginx: (
                "nginx.conf",
                configuration.nginx(self.directory, self.address, release.place(), release.VERSIONS[-1]),
            ),
        }
        for server, (name, text) in files.items():
            file = self.directory / name
            if not file.exists() or file.read_text() != text:
                server.stop()
                file.write_text(text)

    def _start(self, server: Server, argv: Sequence[str | Path], socket: str, ready: Callable[[], bool]) -> None:
        if not server.running():
            server.stop()
            # What a killed server left, and cannot bind again.
            (self.directory / socket).unlink(missing_ok=True)
            server.start(argv)
        server.wait(ready)

    def _registry_answers(self) -> bool:
        with suppress(OSError, HTTPException), closing(UnixConnection(self.registry.socket, timeout=5)) as own:
            own.request("GET", "/v2/")
            return own.getresponse().status == 200
        return False

    def _answers(self) -> bool:
        """Over TLS, trusted by the lab's authority, through to the registry."""
        context = ssl.create_default_context(cafile=str(authority.certificate()))
        with suppress(OSError, HTTPException), closing(socket.create_connection((self.address, 443), 5)) as plain:
            own = HTTPSConnection(names.MODELS, timeout=5)
            own.sock = context.wrap_socket(plain, server_hostname=names.MODELS)
            with closing(own):
                own.request("GET", "/v2/", headers={"Host": configuration.PROBE})
                return own.getresponse().status == 200
        return False

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.directory.mkdir(parents=True, exist_ok=True)
        with FileLock(self.directory / "lock"):
            yield
