"""Hosts of a site on loopback addresses: each has real relays and programs, and its own directories."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fleethands.operations.share import programs

PIECE = 4 << 20
TOKEN = "t" * 40


@dataclass
class Part:
    """A file that the hosts want."""

    bytes: bytes
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256(self.bytes).hexdigest()


def random_part(pieces: float) -> Part:
    return Part(os.urandom(int(pieces * PIECE)))


def wrong(part: Part, *pieces: int) -> bytes:
    """The part with a wrong byte in some of its pieces."""
    text = bytearray(part.bytes)
    for piece in pieces:
        text[piece * PIECE + 7] ^= 1
    return bytes(text)


def pieces_of(text: bytes) -> str:
    return "".join(f"{hashlib.sha256(text[at : at + PIECE]).hexdigest()}\n" for at in range(0, len(text), PIECE))


class Host:
    """One host of the site."""

    def __init__(self, directory: Path, address: str, port: int) -> None:
        self.address, self.port = address, port
        self.parts, self.run = directory / "parts", directory / "run"
        self.store = directory / "blobs"
        for each in (self.parts, self.run, self.store):
            each.mkdir(parents=True)
        (self.run / "tokens").write_text(f"{TOKEN}\n")
        (self.run / "hosts").write_text("127.0.0.1\n")
        self.environment = {"PATH": os.environ["PATH"], "directory": str(self.parts), "run": str(self.run)}
        self.started: list[subprocess.Popen[str]] = []

    def start_relay(self, *, rate: int = 0, idle: int = 60, owner: int | None = None) -> subprocess.Popen[str]:
        where: dict[str, object] = {"address": self.address, "port": self.port, "parts": self.parts}
        where |= {"store": self.store, "owner": os.getuid() if owner is None else owner}
        relay = self._start(programs.relay(), rate=rate, idle=idle, **where)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex((self.address, self.port)) == 0:
                    return relay
            time.sleep(0.01)
        raise AssertionError(relay.communicate())

    def _start(self, program: str, **values: object) -> subprocess.Popen[str]:
        environment = self.environment | {name: str(value) for name, value in values.items()}
        process = subprocess.Popen(
            ["perl", "-we", program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.started.append(process)
        return process

    def knows(self, before: list[Host], after: list[Host] | None = None, token: str = TOKEN) -> None:
        """Its neighbors, the nearest one first."""
        rows = [("before", each) for each in before] + [("after", each) for each in after or []]
        (self.run / "neighbors").write_text(
            f"token {token}\n" + "".join(f"{side} {each.address} {each.port}\n" for side, each in rows)
        )

    def ask(self, part: Part, size: int | None = None, **values: object) -> subprocess.Popen[str]:
        """Start to take the part from neighbors."""
        size = len(part.bytes) if size is None else size
        return self._start(programs.ask_neighbors(), digest=part.digest, size=size, **values)

    def has(self, part: Part) -> None:
        (self.parts / f"sha256-{part.digest}").write_bytes(part.bytes)

    def growing(self, part: Part) -> Path:
        return self.parts / f"sha256-{part.digest}.part"

    def is_downloading(self, part: Part, text: bytes | None = None) -> None:
        """The host has these bytes of a part that it downloads from the internet, and the list of their digests."""
        text = part.bytes if text is None else text
        self.want(part, "internet", "wanted")
        self.growing(part).write_bytes(text)
        (self.parts / f"sha256-{part.digest}.pieces").write_text(pieces_of(text))

    def want(self, part: Part, *kinds: str) -> None:
        for kind in kinds or ("wanted",):
            (self.run / kind).mkdir(exist_ok=True)
            (self.run / kind / part.digest).touch()

    def download(self, part: Part, seconds: float, until: int | None = None) -> threading.Thread:
        """Download the part from a slow internet, at an even rate, and hash its pieces."""
        self.want(part, "internet", "wanted")
        written = (part.bytes[:until], self.growing(part), seconds)
        thread = threading.Thread(target=self._write_slowly, args=written, daemon=True)
        self.growing(part).touch()
        thread.start()
        self._start(programs.hash_pieces(), digest=part.digest, size=len(part.bytes), process=os.getpid())
        return thread

    @staticmethod
    def _write_slowly(text: bytes, path: Path, seconds: float) -> None:
        begun, steps = time.monotonic(), 40
        with path.open("ab", buffering=0) as file:
            for step in range(steps):
                file.write(text[len(text) * step // steps : len(text) * (step + 1) // steps])
                time.sleep(max(0, begun + seconds * (step + 1) / steps - time.monotonic()))

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_hosts(directory: Path, number: int) -> Iterator[list[Host]]:
    """A chain of hosts, each knows the others."""
    port = free_port()
    hosts = [Host(directory / f"h{each + 1}", f"127.0.7.{each + 1}", port) for each in range(number)]
    for index, host in enumerate(hosts):
        host.knows(hosts[:index][::-1], hosts[index + 1 :])
    yield hosts
    for host in hosts:
        host.end()


def finish(process: subprocess.Popen[str], status: int = 0, timeout: float = 30) -> str:
    """What a program printed. Its exit status has to be this one."""
    out, _ = process.communicate(timeout=timeout)
    assert process.returncode == status, out
    return out
