"""A gateway whose certificate a real ACME server issues, and what a renewal costs its clients."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from tests.lab import acme
from tests.lab.acme import Acme
from tests.lab.flavors import until
from tests.lab.gateways import MODEL, NAME, Client, Gateway
from tests.lab.host import Host
from tests.lab.lab import Lab

LONG: dict[str, Any] = {"model": MODEL, "prompt": "Say OK.", "options": {"num_predict": 400, "num_ctx": 2048}}
UNIT = "fleethands-gateway-renew"
DUE = f"sed -i 's/^# renew_before_expiry.*/renew_before_expiry = 9999 days/' {paths.ACME_CERTBOT}/config/renewal/*.conf"
DIGEST = f"sha256sum {paths.GATEWAY_CERTIFICATE}"
LEFT = (
    f"ls -d {paths.ACME} {paths.ACME_UNIT} {paths.ACME_TIMER_UNIT} {paths.ACME_ENABLED} {paths.GATEWAY}"
    f" /var/lib/systemd/timers/stamp-{UNIT}.timer;"
    f" systemctl list-units --all --no-legend '{UNIT}*'; ss -Hltn 'sport = :80'"
)


@pytest.fixture
def server(lab: Lab, guarded: Host, tmp_path: Path) -> Iterator[Acme]:
    """An ACME server for lab-1."""
    with acme.serving(lab, guarded, tmp_path) as running:
        yield running


@pytest.fixture
def gateway(lab: Lab, guarded: Host, server: Acme, tmp_path: Path) -> Gateway:
    """lab-1, whose gateway went over from the authority of the fleet to ACME."""
    here = Gateway.of_state(lab, guarded, tmp_path)
    here.more = {
        "gateway_authority": None,
        "gateway_names": [NAME],
        "gateway_acme": server.url,
        "gateway_acme_email": "ops@gateway.example",
        "gateway_acme_trust": str(server.trust),
    }
    with guarded.outward():
        changed = here.apply()
    assert "Gateway | Get its certificate" in changed
    return here


@pytest.fixture
def client(lab: Lab, gateway: Gateway, server: Acme) -> Client:
    """Another host, which trusts the root of the ACME server alone."""
    lab["lab-2"].restore("clean")
    found = Client(lab["lab-2"], gateway)
    found.machine.run("cat > /tmp/fleet.crt", stdin=server.trust.read_text())
    return found


@contextmanager
def asking(client: Client, token: str) -> Iterator[list[tuple[int, str]]]:
    """A client asks for one answer after the other, without a pause; all answers at the end."""
    over, answers = threading.Event(), list[tuple[int, str]]()

    def ask_on() -> None:
        while not over.is_set():
            answers.append(client.ask("/api/generate", "-N", token=token, body=LONG, timeout=200))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(ask_on)
        try:
            yield answers
        finally:
            over.set()
        running.result()


def test_a_certificate_is_issued_once_and_renewed_without_a_cut_answer(
    gateway: Gateway, client: Client, server: Acme
) -> None:
    token, host = gateway.tokens["alice"], gateway.host
    assert client.status("/v1/models", token=token) == 200
    asked = server.requests
    assert asked > 0
    assert gateway.plan() == []
    assert gateway.apply() == []
    assert server.requests == asked
    host.run(f"systemctl start {UNIT}")
    before = host.run(DIGEST).stdout
    assert server.orders == 1

    host.run(DUE)
    with asking(client, token) as answers:
        until(host, "ss -Htn state established dport = :11434 | grep -q .", 60)
        host.run(f"systemctl start {UNIT}", timeout=200)
        assert host.run(DIGEST).stdout != before
        assert client.status("/v1/models", token=token) == 200
    assert [status for status, _ in answers] == [200] * len(answers)
    assert all(json.loads(text.splitlines()[-1])["done"] for _, text in answers)
    assert server.orders == 2
    assert gateway.plan() == []
    assert host.run("ss -Hltn 'sport = :80'").stdout == ""
    modes = host.run(f"stat -c '%U %G %a' {paths.GATEWAY_KEY} {paths.ACME} {paths.ACME_RENEW}").stdout.splitlines()
    assert modes == ["root fleethands-gateway 640", "root root 700", "root root 600"]


@pytest.mark.soak
def test_other_names_a_taken_port_and_the_end(gateway: Gateway, client: Client, server: Acme) -> None:
    token, host = gateway.tokens["alice"], gateway.host
    before = host.run(DIGEST).stdout
    host.run(
        "systemd-run --quiet --unit taker perl -MIO::Socket::INET -e"
        " 'my @s = IO::Socket::INET->new(LocalPort => 80, Listen => 5, ReuseAddr => 1) or die; sleep 600'"
    )
    until(host, "ss -Hltn 'sport = :80' | grep -q .", 10)
    gateway.more["gateway_names"] = [NAME, f"other.{NAME}"]
    code, said, _ = gateway.run("apply")
    assert code != 0
    assert "another program on this host has port 80" in said
    assert host.run(DIGEST).stdout == before
    assert client.status("/v1/models", token=token) == 200
    host.run("systemctl stop taker")

    assert gateway.apply()[:2] == ["Gateway | Get its certificate", "Gateway | Use these files"]
    assert client.status("/v1/models", token=token) == 200
    assert f"other.{NAME}" in host.run(f"openssl x509 -noout -text -in {paths.GATEWAY_CERTIFICATE}").stdout
    assert gateway.plan() == []
    assert len(host.run(f"ls {paths.ACME_CERTBOT}/config/renewal").stdout.split()) == 1

    gateway.tokens.clear()
    gateway.apply()
    assert host.run(LEFT, check=False).stdout == ""
