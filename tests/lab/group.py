"""Lab hosts behind the gateways of some of them, and clients that use these without a pause."""

from __future__ import annotations

import http.client
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import fleet
from tests.lab.gateways import MODEL, PORT
from tests.lab.host import Host

FRONT = "lab-1"
INVENTORY = """
import runpy
from fleethands.settings import Secret
addresses = {addresses!r}
everywhere = {{
    "openhands_flavor": "off", "gateway": "[::]:{port}", "gateway_authority": Secret.file({authority!r}),
    "gateway_tokens": {{"front": Secret.file({front!r})}}, **{more!r},
}}
at_the_front = {{
    "gateway_tokens": {{"front": Secret.file({front!r}), "alice": Secret.file({alice!r})}},
    "gateway_backends": {{name: f"{{address}}:{port}" for name, address in addresses.items()}},
    "gateway_backends_token": Secret.file({front!r}),
}}
own = lambda name: {{"gateway_names": [addresses[name]]}}
lab = [
    (name, {{**data, **everywhere, **own(name), **(at_the_front if name in {fronts!r} else {{}})}})
    for name, data in runpy.run_path({lab!r})["lab"] if name in addresses
]
"""


@dataclass
class Group:
    """
    Hosts behind the gateway of lab-1, which is one of them.

    + directory: of the inventory and its secrets, on the controller
    + more: settings of all of them
    + fronts: the hosts whose gateway has all of them behind it; clients use one after the other
    """

    hosts: dict[str, Host]
    directory: Path
    more: dict[str, Any] = field(default_factory=dict)
    fronts: tuple[str, ...] = (FRONT,)
    tokens: dict[str, str] = field(default_factory=lambda: {name: secrets.token_hex(20) for name in ("front", "alice")})

    @property
    def front(self) -> Host:
        return self.hosts[FRONT]

    @property
    def _authority(self) -> Path:
        path = self.directory / "authority.pem"
        if not path.exists():
            code, said = fleet.typed(f"fleethands authority create {path} --name lab")
            assert code == 0, said
        return path

    def run(self, command: str, *words: str, timeout: float = 600) -> tuple[int, str, dict[str, Any]]:
        """Exit code, narration and document of a command on the inventory as it is now."""
        places = {name: self.directory / name for name in self.tokens}
        for name, place in places.items():
            place.write_text(self.tokens[name])
        path = self.directory / "inventory.py"
        values = {"front": str(places["front"]), "alice": str(places["alice"]), "authority": str(self._authority)}
        addresses = {name: host.address for name, host in self.hosts.items()}
        lab = str(fleet.ROOT / "inventory/lab.py")
        path.write_text(
            INVENTORY.format(**values, addresses=addresses, port=PORT, more=self.more, lab=lab, fronts=self.fronts)
        )
        yes = "" if command in fleet.READERS else "--yes"
        line = f"fleethands {command} {path} --json {yes} {' '.join(words)} 2>{path}.said"
        code, said = fleet.typed(line, timeout)
        document, _ = json.JSONDecoder().raw_decode(said)
        return code, Path(f"{path}.said").read_text(), document

    def apply(self, *words: str) -> tuple[str, dict[str, Any]]:
        """Narration and document of an apply. Fails if it fails."""
        code, said, document = self.run("apply", *words)
        assert code == 0, said + json.dumps(document)
        return said, document

    def ask(
        self, path: str = "/api/generate", model: str = MODEL, tokens: int = 4, front: str = FRONT
    ) -> tuple[int, list[dict[str, Any]]]:
        """Status and lines of an answer through the gateway, as it comes. Raises OSError and HTTPException if cut."""
        context = ssl.create_default_context(cafile=self._authority)
        connection = http.client.HTTPSConnection(self.hosts[front].address, PORT, context=context, timeout=300)
        body = {"model": model, "prompt": "Say OK.", "options": {"num_predict": tokens}}
        headers = {"Authorization": f"Bearer {self.tokens['alice']}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, [json.loads(line) for line in answer]
        finally:
            connection.close()

    @contextmanager
    def clients(self, count: int, tokens: int = 10) -> Iterator[Clients]:
        """This number of clients ask without a pause."""
        clients = Clients(self, tokens)
        with ThreadPoolExecutor(count) as pool:
            fronts = [self.fronts[number % len(self.fronts)] for number in range(count)]
            running = [pool.submit(clients.ask_on, front) for front in fronts]
            try:
                yield clients
            finally:
                clients.over.set()
        for each in running:
            each.result()

    def answering_hosts(self) -> list[str]:
        """The hosts that answered, by the gateway's log."""
        lines = self.front.run("journalctl --flush; journalctl -q -o cat -t fleethands_gateway").stdout.splitlines()
        rows = [json.loads(line) for line in lines]
        return [row["host"] for row in rows if row["client"] == "alice" and row["status"] == 200 and "host" in row]


@dataclass
class Clients:
    """What clients saw: answers, failures, and the seconds of the longest."""

    group: Group
    tokens: int
    over: threading.Event = field(default_factory=threading.Event)
    answers: int = 0
    failures: list[str] = field(default_factory=list)
    longest: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask_on(self, front: str) -> None:
        """Ask until it is over."""
        while not self.over.is_set():
            begun = time.monotonic()
            try:
                status, lines = self.group.ask(tokens=self.tokens, front=front)
                failure = "" if status == 200 and lines and lines[-1].get("done") else f"{status} {lines[-1:]}"
            except (OSError, http.client.HTTPException, ValueError) as error:
                failure = f"{type(error).__name__}: {error}"
            with self._lock:
                self.longest = max(self.longest, time.monotonic() - begun)
                self.answers += not failure
                if failure:
                    self.failures.append(f"{failure} after {time.monotonic() - begun:.1f} s")

    def wait_for(self, more: int) -> None:
        """Wait until this number of further answers has come."""
        wanted, end = self.answers + more, time.monotonic() + 240
        while self.answers < wanted:
            assert time.monotonic() < end, (self.answers, self.failures)
            time.sleep(0.1)
