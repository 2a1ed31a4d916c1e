"""A real nginx with the gateway's configuration: who reads the metrics, and what the collector makes of its log."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleethands import paths
from fleethands.operations.gateway import tokens
from fleethands.settings.load import read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.settings.values.names import ListenAddress
from fleethands.tasks.gateway import render_config
from fleethands.tls.authority import Authority
from tests.helpers.gateways import gateway_data
from tests.hosts import bare
from tests.unit.operations.metrics.collector import ANSWERS, Collector, StandInOllama, value

NAMES = ("prometheus", "alice", "ops", "both")
TOKENS = {name: f"{name}-" + "x" * 30 for name in NAMES}
METRICS = "fleethands_ollama_up 1\n"
LOGGED = "syslog:server=unix:/dev/log,nohostname,facility=daemon,tag=fleethands_gateway"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Nginx:
    """nginx in front of a stand-in of Ollama, by the configuration of a host."""

    def __init__(self, place: Path, ollama: StandInOllama) -> None:
        self.place, self.port, self.log = place, free_port(), place / "access.log"
        data = gateway_data(
            place, TOKENS, metrics=True, gateway_watchers=["prometheus", "both"], gateway_managers=["ops", "both"],
            gateway_names=["127.0.0.1"], gateway=f"0.0.0.0:{self.port}", ollama_host=ollama.url.removeprefix("http://"),
        )  # fmt: skip
        settings = read_fleet({"host": data}, Lockfile())["host"]
        assert settings.gateway is not None
        self.tokens = tokens.write_tokens.decide(settings, bare(settings)).script.values["content"]
        text = render_config(settings, ListenAddress("127.0.0.1", self.port)).replace(LOGGED, str(self.log))
        for before in (paths.GATEWAY_CACHE, paths.GATEWAY_RUNTIME, paths.METRICS_RUNTIME, paths.GATEWAY):
            text = text.replace(before, str(place))
        authority = Authority.read((place / "authority.pem").read_text())
        issued = authority.issue(settings.gateway_names, datetime.now(UTC))
        (place / "certificate.pem").write_text(issued.chain_pem)
        (place / "key.pem").write_text(issued.key_pem)
        (place / "tokens").write_text(self.tokens)
        (place / "nginx.conf").write_text(f"{'user root;' if os.geteuid() == 0 else ''}\n{text}")
        self._trusted = authority.certificate_pem
        self._process = subprocess.Popen(["nginx", "-c", place / "nginx.conf"], stderr=subprocess.PIPE, text=True)
        self._await_answer()

    def ask(self, path: str, client: str = "", method: str = "GET", body: str | None = None) -> tuple[int, str, str]:
        """Status, body and content type of an answer."""
        context = ssl.create_default_context(cadata=self._trusted)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        header = {"Authorization": f"Bearer {TOKENS[client]}"} if client else {}
        connection.request(method, path, body=body, headers=header)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers.get("Content-Type", "")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                self.ask("/")
                return
            except OSError:
                assert self._process.poll() is None, (self._process.stderr or [""]).read()  # type: ignore[union-attr]
                assert time.monotonic() < deadline
                time.sleep(0.05)


@pytest.fixture
def ollama() -> Iterator[StandInOllama]:
    server = StandInOllama(ANSWERS)
    yield server
    server.close()


@pytest.fixture
def nginx(tmp_path: Path, ollama: StandInOllama) -> Iterator[Nginx]:
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    running = Nginx(tmp_path, ollama)
    yield running
    running.stop()


def test_only_watchers_read_the_metrics_and_do_nothing_else(nginx: Nginx) -> None:
    assert nginx.ask("/metrics", "prometheus")[0] == 404  # nothing was collected yet
    (nginx.place / paths.METRICS_FILE).write_text(METRICS)

    assert nginx.ask("/metrics", "prometheus") == (200, METRICS, "text/plain; version=0.0.4; charset=utf-8")
    assert nginx.ask("/metrics", "prometheus", "HEAD")[0] == 200
    assert nginx.ask("/metrics", "both")[0] == 200
    assert [nginx.ask("/metrics", client)[0] for client in ("alice", "ops", "")] == [403, 403, 401]
    for path in ("/metrics/", "//metrics", "/metrics/../metrics", "/Metrics", "/metrics/fleethands.prom"):
        assert nginx.ask(path, "prometheus")[0] in ({200} if ".." in path else {403}), path
    assert nginx.ask("/metrics", "prometheus", "POST", "{}")[0] == 403

    assert nginx.ask("/api/tags", "prometheus")[0] == 403
    assert nginx.ask("/api/generate", "prometheus", "POST", "{}")[0] == 403
    assert nginx.ask("/api/delete", "prometheus", "DELETE")[0] == 403
    assert [nginx.ask("/api/tags", client)[0] for client in ("alice", "ops", "both")] == [200, 200, 200]


def test_the_proof_finds_the_token_of_another_client_first(nginx: Nginx) -> None:
    assert [line.split()[-1] for line in nginx.tokens.splitlines()] == ["alice;", "ops;", "both;", "prometheus;"]


def test_the_collector_reads_the_log_as_nginx_writes_it(nginx: Nginx, ollama: StandInOllama, tmp_path: Path) -> None:
    ollama.answers["/v1/models"] = {"data": []}
    nginx.ask("/v1/models", "alice")
    nginx.ask("/api/generate", "alice", "POST", json.dumps({"prompt": 'x","model":"y', "model": "codellama:7b"}))
    nginx.ask("/api/generate")
    while len(nginx.log.read_text().splitlines()) < 4:  # that of the fixture is the first; nginx logs after it answers
        time.sleep(0.05)
    place = tmp_path / "collector"
    place.mkdir()
    collector = Collector(place, ollama.url)
    entries = [
        f"__CURSOR=c={number}\nMESSAGE={line}\n\n" for number, line in enumerate(nginx.log.read_text().splitlines())
    ]
    (place / "journal").write_text("".join(entries))
    collector.declared += [("gateway_address", f"127.0.0.1:{nginx.port}"), ("gateway_port", nginx.port)]
    collector.stand_in("journalctl", f"cat {place}/journal")

    found = collector.collect()

    requests = "fleethands_gateway_requests_total"
    assert value(found, requests, client="alice", model="", status="200") == 1
    assert value(found, requests, client="alice", model="codellama:7b", status="501") == 1
    assert value(found, requests, client="", model="", status="401") == 2
    assert value(found, "fleethands_gateway_up") == 1
    assert (value(found, "fleethands_gateway_certificate_end_seconds") or 0) == pytest.approx(
        time.time() + 365 * 86400, abs=3 * 86400
    )
