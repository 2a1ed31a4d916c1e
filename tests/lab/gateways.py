"""A gateway on a lab host, by an inventory of its own, and clients on other machines."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.lab import Lab

PORT = 8443
NAME = "gpu-1.gateway.example"
MODEL = "codellama:7b"
CLIENTS = ("alice", "bob", "ops")
INVENTORY = """
import runpy
from fleethands.settings import Secret
places, people = {places!r}, {people!r}
wanted = {{**{data!r}, "gateway_tokens": {{name: Secret.file(place) for name, place in places.items()}}}}
if people:
    wanted["gateway_people"] = {{name: Secret.file(place) for name, place in people.items()}}
if "gateway_authority" in wanted:
    wanted["gateway_authority"] = Secret.file(wanted["gateway_authority"])
if "gateway_key" in wanted:
    wanted["gateway_key"] = Secret.file(wanted["gateway_key"])
if not places:
    wanted = {{"openhands_flavor": "off"}}
lab = [(name, {{**data, **wanted}}) for name, data in runpy.run_path({lab!r})["lab"] if name == {host!r}]
"""


def state_directory(lab: Lab) -> Path:
    """The directory of the inventory by which the state `gateway` was made."""
    return lab.site.directory / "gateway"


@dataclass
class Gateway:
    """
    The gateway of a host as an inventory declares it, whose tokens a test may change.

    + directory: of the inventory and its secrets, on the controller
    + people: passwords of OpenHands' page
    + more: settings in addition to those of a usual gateway
    """

    host: Host
    directory: Path
    tokens: dict[str, str] = field(default_factory=lambda: {name: secrets.token_urlsafe(32) for name in CLIENTS})
    people: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_state(cls, lab: Lab, host: Host, directory: Path) -> Gateway:
        """That of a host in the state `gateway`, with a copy of its inventory."""
        shutil.copytree(state_directory(lab), directory / "gateway")
        tokens = {name: (state_directory(lab) / f"{name}.token").read_text().strip() for name in CLIENTS}
        return cls(host, directory / "gateway", tokens)

    @property
    def authority(self) -> Path:
        """The authority of the fleet, with its key."""
        return self.directory / "authority.pem"

    @property
    def trusted(self) -> str:
        """What clients trust."""
        if not self.authority.exists():
            code, said = fleet.typed(f"fleethands authority create {self.authority} --name lab")
            assert code == 0, said
        code, said = fleet.typed(f"fleethands authority show {self.authority} 2>/dev/null")
        assert code == 0, said
        return said

    def run(self, command: str, *words: str, timeout: float = 300) -> tuple[int, str, dict[str, Any]]:
        """Exit code, all output, and the document of a command on the inventory as it is now."""
        self.trusted  # noqa: B018  makes the authority
        path = self.directory / "inventory.py"
        path.write_text(INVENTORY.format(**self._values()))
        yes = "" if command in fleet.READERS else "--yes"
        line = f"fleethands {command} {path} --json {yes} {' '.join(words)}"
        code, said = fleet.typed(
            f"{line} 2>{path}.narration; status=$?; cat {path}.narration >&2; exit $status", timeout
        )
        document, _ = json.JSONDecoder().raw_decode(said)
        return code, said, document

    def apply(self) -> list[str]:
        """What an apply changed. Fails if it fails."""
        code, said, document = self.run("apply")
        assert code == 0, said
        return fleet.changes(document, self.host.name)

    def plan(self) -> list[str]:
        """What an apply would change."""
        return fleet.changes(self.run("plan")[2], self.host.name)

    def _values(self) -> dict[str, Any]:
        places = {name: self.directory / f"{name}.token" for name in self.tokens}
        for name, place in places.items():
            place.write_text(self.tokens[name] + "\n")
        people = {name: self.directory / f"{name}.password" for name in self.people}
        for name, place in people.items():
            place.write_text(self.people[name] + "\n")
        usual = {
            "openhands_flavor": "off",
            "gateway": f"[::]:{PORT}",
            "gateway_names": [NAME, self.host.address, self.host.address6],
            "gateway_managers": [name for name in ("ops",) if name in self.tokens],
            "gateway_authority": str(self.authority),
        }
        return {
            "places": {name: str(place) for name, place in places.items()},
            "people": {name: str(place) for name, place in people.items()},
            "data": {key: value for key, value in {**usual, **self.more}.items() if value is not None},
            "lab": str(fleet.ROOT / "inventory/lab.py"),
            "host": self.host.name,
        }


@dataclass(frozen=True)
class Client:
    """A machine that uses a gateway, by Debian's curl, and trusts the authority of the fleet alone."""

    machine: Host
    gateway: Gateway

    def __post_init__(self) -> None:
        self.machine.run("cat > /tmp/fleet.crt", stdin=self.gateway.trusted)

    def ask(
        self, path: str, *words: str, token: str | None = None, body: Any = None, address: str = "", timeout: float = 60
    ) -> tuple[int, str]:
        """
        HTTP status and body of an answer; status 0 if there is none.

        + words: further options of curl, quoted for a shell
        + body: sent as JSON; text is sent as it is
        + address: connect to it, and still expect the certificate of the name
        """
        connect = f"--connect-to ::{address or self.gateway.host.address}:{PORT}"
        header = f"-H 'Authorization: Bearer {token}'" if token is not None else ""
        data = "--data @-" if body is not None else ""
        line = f"curl -q -sS --cacert /tmp/fleet.crt {connect} {header} {data} -w '\\n%{{http_code}}' {' '.join(words)}"
        sent = body if isinstance(body, str | None) else json.dumps(body)
        done = self.machine.run(f"{line} 'https://{NAME}:{PORT}{path}'", check=False, stdin=sent, timeout=timeout)
        text, _, status = done.stdout.rpartition("\n")
        return int(status or 0), text or done.stderr

    def status(self, path: str, *words: str, token: str | None = None, body: Any = None) -> int:
        """HTTP status of an answer."""
        return self.ask(path, *words, token=token, body=body)[0]
