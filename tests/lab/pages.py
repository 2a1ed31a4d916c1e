"""OpenHands' page on the gateway of a lab host, and people who open it from another machine."""

from __future__ import annotations

import json
import secrets
import shutil
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.lab.gateways import CLIENTS, Gateway
from tests.lab.host import Host
from tests.lab.lab import Lab

PORT = 3443
PEOPLE = ("ann", "ben")


def state_directory(lab: Lab) -> Path:
    """The directory of the inventory by which the state `page` was made."""
    return lab.site.directory / "page"


def with_page(host: Host, directory: Path, **more: Any) -> Gateway:
    """A gateway with the page of the host's OpenHands, for new people."""
    people = {name: secrets.token_urlsafe(16) for name in PEOPLE}
    return Gateway(
        host, directory, people=people, more={"openhands_flavor": "gui", "gateway_page": f"[::]:{PORT}", **more}
    )


def of_state(lab: Lab, host: Host, directory: Path) -> Gateway:
    """That of a host in the state `page`, with a copy of its inventory."""
    here = directory / "page"
    shutil.copytree(state_directory(lab), here)
    gateway = with_page(host, here)
    gateway.tokens = {name: (here / f"{name}.token").read_text().strip() for name in CLIENTS}
    gateway.people = {name: (here / f"{name}.password").read_text().strip() for name in PEOPLE}
    return gateway


@dataclass
class Visitor:
    """
    A person at a browser of the controller, which keeps the cookie that a login sets.

    + headers: sent with each request
    """

    gateway: Gateway
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.gateway.trusted)

    @property
    def url(self) -> str:
        return f"https://{self.gateway.host.address}:{PORT}"

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, str]:
        """Status and body of an answer."""
        connection = HTTPSConnection(self.gateway.host.address, PORT, timeout=60, context=self.context)
        sent = None if body is None else json.dumps(body)
        kind = {"Content-Type": "application/json"} if sent else {}
        connection.request(method, path, sent, {**kind, **self.headers, **headers})
        answer = connection.getresponse()
        if cookie := answer.headers.get("Set-Cookie"):
            assert all(each in cookie for each in ("__Host-", "; Secure", "; HttpOnly", "; SameSite=Strict")), cookie
            self.headers["Cookie"] = cookie.partition(";")[0]
        return answer.status, answer.read().decode()

    def log_in(self, name: str, password: str, path: str = "/health") -> int:
        """The status of the page that is asked for with a name and a password."""
        return self.ask(path, Authorization=basic(name, password))[0]

    def socket(self, path: str, **headers: str) -> ClientConnection:
        """An open websocket. Raises InvalidStatus."""
        url = f"{self.url}{path}".replace("https:", "wss:")
        more = {"Origin": self.url, **self.headers, **headers}
        return connect(url, ssl=self.context, additional_headers=more, proxy=None)


def basic(name: str, password: str) -> str:
    """The header of a login."""
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


def keep_open(socket: ClientConnection, done: Callable[[], bool]) -> None:
    """Answers the pings of engine.io until something is done: without an answer, V0 closes a websocket after 45 s."""
    while not done():
        with suppress(TimeoutError):
            if socket.recv(timeout=0.5) == "2":
                socket.send("3")


def events(socket: ClientConnection, wanted: str, seconds: float = 60) -> str:
    """Reads a conversation of V0 (socket.io) until an event has this text, and returns the event."""
    end, seen = time.monotonic() + seconds, []
    while time.monotonic() < end:
        message = str(socket.recv(timeout=seconds))
        if message == "2":  # a ping of engine.io
            socket.send("3")
        seen.append(message[:120])
        if wanted in message:
            return message
    raise AssertionError(f"no {wanted} in {seen}")
