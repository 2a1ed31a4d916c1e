"""The real nginx with OpenHands' page, in front of a stand-in of OpenHands that shows what it gets."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fleethands import paths
from fleethands.operations.gateway import people, tokens
from fleethands.rollout.page_check import check_page
from fleethands.settings.load import read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.tasks.gateway import render_config
from fleethands.tls.authority import Authority
from tests.helpers.gateways import PASSWORDS, page_data
from tests.hosts import bare

LOGGED = "syslog:server=unix:/dev/log,nohostname,facility=daemon,tag=fleethands_"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers of the request. `/api/profiles` is Canvas', and needs a key."""

    def do_GET(self) -> None:
        text = str(self.headers).encode()
        self.send_response(401 if self.path == "/api/profiles" and "X-Session-API-Key" not in self.headers else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    def log_message(self, *words: object) -> None:
        del words


class Page:
    """nginx by the configuration of a host."""

    def __init__(self, place: Path, persons: Mapping[str, str], **more: object) -> None:
        self.openhands = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=self.openhands.serve_forever, daemon=True).start()
        self.port, self.place = free_port(), place
        data = page_data(
            place, persons, gateway_names=["127.0.0.1"], gateway=f"0.0.0.0:{free_port()}",
            gateway_page=f"0.0.0.0:{self.port}", openhands_port=self.openhands.server_port, **more,
        )  # fmt: skip
        self.settings = read_fleet({"host": data}, Lockfile())["host"]
        assert self.settings.gateway is not None
        self._authority = Authority.read((place / "authority.pem").read_text())
        issued = self._authority.issue(["127.0.0.1"], datetime.now(UTC))
        text = render_config(self.settings, self.settings.gateway)
        for before in (paths.GATEWAY_CACHE, paths.GATEWAY_RUNTIME, paths.GATEWAY):
            text = text.replace(before, str(place))
        text = text.replace(f"{LOGGED}page", str(place / "log")).replace(f"{LOGGED}gateway", str(place / "other"))
        kept = people.write_people.decide(self.settings, bare(self.settings))
        files = {
            "certificate.pem": issued.chain_pem,
            "key.pem": issued.key_pem,
            "tokens": tokens.write_tokens.decide(self.settings, bare(self.settings)).script.values["content"],
            "nginx.conf": f"{'user root;' if os.geteuid() == 0 else ''}\n{text}",
            **({name: kept.script.values[name] for name in ("people", "sessions")} if persons else {}),
        }
        for name, content in files.items():
            (place / name).write_text(content)
        self._process = subprocess.Popen(["nginx", "-c", place / "nginx.conf"], stderr=subprocess.PIPE, text=True)
        self._await_answer()

    def ask(self, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, str, str]:
        """Status, cookie and body of an answer."""
        context = ssl.create_default_context(cadata=self._authority.certificate_pem)
        connection = HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        return answer.status, cookie, answer.read().decode()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self.openhands.shutdown()

    def _await_answer(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                self.ask()
                return
            except OSError:
                assert self._process.poll() is None, (self._process.stderr or [""]).read()  # type: ignore[union-attr]
                assert time.monotonic() < deadline
                time.sleep(0.05)


def login(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def page(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    running = Page(tmp_path, **getattr(request, "param", {"persons": PASSWORDS}))
    yield running
    running.stop()


def test_a_login_begins_the_session_of_its_person_and_of_nobody_else(page: Page) -> None:
    ann, wrong = login("ann", PASSWORDS["ann"]), login("ann", "x" * 20)
    assert [page.ask()[:2], page.ask(Authorization=wrong)[:2]] == [(401, ""), (401, "")]
    assert page.ask(Authorization=login("ann", PASSWORDS["ben"]))[:2] == (401, "")
    status, cookie, seen = page.ask(Authorization=ann)
    assert (status, cookie.startswith("__Host-fleethands=")) == (200, True)
    assert "Authorization" not in seen

    status, other, seen = page.ask(Cookie=f"a=1; {cookie}; b=2", Authorization=login("ben", "x" * 20))
    assert (status, other) == (200, "")  # a session gets no other person's
    assert "Cookie: a=1; b=2\n" in seen.replace("\r", "")
    assert "fleethands" not in page.ask(Cookie=f"__Host-fleethands=x; {cookie}")[2]
    assert page.ask(method="POST", Cookie=cookie)[0] == 200
    for bad in (cookie[:-1], f"{cookie}x", cookie.swapcase(), f"x{cookie}", "__Host-fleethands="):
        assert page.ask(Cookie=bad)[0] == 401, bad


def test_another_site_cannot_use_a_login(page: Page) -> None:
    ann, own = login("ann", PASSWORDS["ann"]), f"https://127.0.0.1:{page.port}"
    cookie = page.ask(Authorization=ann)[1]
    assert page.ask(method="POST", Authorization=ann)[:2] == (403, "")
    assert page.ask(Authorization=ann, Upgrade="websocket", Connection="upgrade")[:2] == (403, "")
    assert page.ask(Cookie=cookie, Origin=own)[0] == 200
    for origin in ("null", "https://evil.example", own + "0", f"http://127.0.0.1:{page.port}"):
        assert page.ask(Cookie=cookie, Origin=origin)[0] == 403, origin


def test_guesses_are_limited_and_sessions_are_not(page: Page) -> None:
    cookie = page.ask(Authorization=login("ann", PASSWORDS["ann"]))[1]

    with ThreadPoolExecutor(30) as pool:
        guesses = [pool.submit(page.ask, Authorization=login("ann", "x" * 20)) for _ in range(150)]
        right = [page.ask(Authorization=login("ann", PASSWORDS["ann"]))[0] for _ in range(10)]
        asked = [page.ask(Cookie=cookie)[0] for _ in range(10)]
        links = [check_page(page.settings, ["127.0.0.1"])[0] for _ in range(10)]
        seen = [each.result()[0] for each in guesses]

    assert set(seen) == {401, 429}
    assert 429 in right  # it is not even tried
    assert asked == [200] * 10
    assert all(link.ok for link in links)


def test_the_log_has_the_person_and_no_query(page: Page) -> None:
    cookie = page.ask("/first?key=hidden", Authorization=login("ann", PASSWORDS["ann"]))[1]
    page.ask("/second?key=hidden", Cookie=cookie)
    page.ask("/refused-hidden", Authorization=login("hidden", "hidden"))
    deadline = time.monotonic() + 10
    while (page.place / "log").read_text().count('"status":401') < 2 and time.monotonic() < deadline:
        time.sleep(0.05)  # nginx logs after it answers

    text = (page.place / "log").read_text()
    rows = {row["path"]: row["person"] for row in map(json.loads, text.splitlines())}
    assert rows == {"": "", "/first": "ann", "/second": "ann"}
    assert "hidden" not in text


@pytest.mark.parametrize("page", [{"persons": {}, "openhands_flavor": "canvas"}], indirect=True)
def test_canvas_asks_for_its_key(page: Page) -> None:
    assert page.ask()[0] == 200
    assert [page.ask("/api/profiles")[0], page.ask("/api/profiles", **{"X-Session-API-Key": "x"})[0]] == [401, 200]
    assert page.ask(method="POST", Origin="https://evil.example")[0] == 403
    assert check_page(page.settings, ["127.0.0.1"])[0].ok


def test_the_controller_sends_no_password(page: Page) -> None:
    for name in PASSWORDS:
        (page.place / f"{name}.password").unlink()  # it is not even read

    (link,) = check_page(page.settings, ["127.0.0.1", "::1"])  # the page does not listen on the second

    assert (link.name, link.ok) == ("page-from-outside", True)
    assert link.detail == f"127.0.0.1 port {page.port} asks this machine for a login"
