"""A gateway with TLS and tokens: who gets an answer, who does not, and what a change costs those who use it."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openai
import pytest

from fleethands import paths
from fleethands.tls.authority import Authority
from tests.lab import observe
from tests.lab.flavors import until
from tests.lab.gateways import MODEL, NAME, PORT, Client, Gateway
from tests.lab.host import Host
from tests.lab.lab import Lab

PROMPT: dict[str, Any] = {"model": MODEL, "prompt": "Say OK.", "stream": False, "options": {"num_predict": 4}}
CHAT: dict[str, Any] = {"model": MODEL, "max_tokens": 4, "messages": [{"role": "user", "content": "Say OK."}]}
MANAGEMENT = [
    ("/api/pull", "-X POST", {"model": MODEL}),
    ("/api/create", "-X POST", {"model": "mine", "from": MODEL}),
    ("/api/copy", "-X POST", {"source": MODEL, "destination": "copy"}),
    ("/api/push", "-X POST", {"model": MODEL}),
    ("/api/delete", "-X DELETE", {"model": MODEL}),
    (f"/api/blobs/sha256:{'0' * 64}", "-X POST", {}),
]
LOG = "journalctl --flush; journalctl -q -o cat -t fleethands_gateway"


@pytest.fixture
def gateway(lab: Lab, guarded: Host, tmp_path: Path) -> Gateway:
    """The gateway of lab-1."""
    return Gateway.of_state(lab, guarded, tmp_path)


@pytest.fixture
def client(lab: Lab, gateway: Gateway) -> Client:
    """Another host of the same network, as Debian left it, that uses the gateway."""
    lab["lab-2"].restore("clean")
    return Client(lab["lab-2"], gateway)


def log_of(host: Host) -> list[dict[str, Any]]:
    """The access log of the gateway."""
    return [json.loads(line) for line in host.run(LOG).stdout.splitlines()]


def test_clients_with_a_token_get_answers_and_nobody_else_does(gateway: Gateway, client: Client) -> None:
    token = gateway.tokens["alice"]
    assert gateway.plan() == []
    assert not observe.reachable(gateway.host.address, 11434, 0.5)
    assert client.machine.run(f"curl -s -m 3 {gateway.host.address}:80", check=False).returncode != 0

    code, said = client.ask("/api/generate", token=token, body=PROMPT)
    assert (code, json.loads(said)["eval_count"] > 0) == (200, True), said
    code, said = client.ask("/v1/chat/completions", token=token, body=CHAT)
    assert (code, json.loads(said)["usage"]["completion_tokens"] > 0) == (200, True), said
    assert client.ask("/v1/models", token=token, address=f"[{gateway.host.address6}]")[0] == 200

    assert client.status("/v1/models") == 401
    assert client.status("/v1/models", token=secrets.token_urlsafe(32)) == 401
    assert client.status("/v1/models", token=token.swapcase()) == 401
    assert client.status("/v1/models", f"-H 'X-Api-Key: {token}'") == 401
    assert client.status(f"/v1/models?api_key={token}") == 401
    for path, method, body in MANAGEMENT:
        assert client.status(path, method, token=token, body=body) == 403, path
    ops = gateway.tokens["ops"]
    assert client.status("/api/copy", "-X POST", token=ops, body={"source": MODEL, "destination": "copy"}) == 200
    assert client.status("/api/delete", "-X DELETE", token=ops, body={"model": "copy"}) == 200
    assert "copy" not in client.ask("/v1/models", token=token)[1]

    lines = log_of(gateway.host)
    asked = [(line["client"], line["model"], line["status"]) for line in lines if line["path"] == "/api/generate"]
    assert ("alice", MODEL, 200) in asked
    everything = gateway.host.run(f"journalctl -b; {LOG}").stdout
    assert not [each for each in (*gateway.tokens.values(), "Say OK.") if each in everything]
    kept = f"cat {paths.GATEWAY_TOKENS} {paths.GATEWAY_KEY}; {LOG}"
    assert token not in gateway.host.run(kept, check=False, user="plain").stdout


def test_a_large_body_a_long_name_and_every_way_of_tls(gateway: Gateway, client: Client) -> None:
    token = gateway.tokens["bob"]
    large = json.dumps({**PROMPT, "ignored": "x" * 20_000_000})
    assert client.ask("/api/generate", token=token, body=large, timeout=120)[0] == 200
    assert client.ask("/api/generate", token=token, body=large * 4, timeout=120)[0] in {0, 413}
    assert client.status("/api/version", "--http2", token=token) == 200
    assert client.status("/api/version", "--tls-max 1.2", token=token) == 200

    other = client.machine.run(f"curl -sS https://{gateway.host.address}:{PORT}/", check=False)
    assert "certificate" in other.stderr
    assert _negotiated(gateway, client.machine) == {"TLSv1.2", "TLSv1.3"}
    context = ssl.create_default_context(cadata=gateway.trusted)
    for address in (gateway.host.address, gateway.host.address6):
        with (
            socket.create_connection((address, PORT), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=address) as secured,
        ):
            assert secured.version() == "TLSv1.3"


def _negotiated(gateway: Gateway, machine: Host) -> set[str]:
    """The versions of TLS that the gateway accepts from a client that would take any."""
    ways = {"SSLv3": "-ssl3", "TLSv1": "-tls1", "TLSv1.1": "-tls1_1", "TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}
    line = f"openssl s_client -connect {gateway.host.address}:{PORT} -cipher DEFAULT@SECLEVEL=0 {{}} </dev/null 2>&1"
    said = {name: machine.run(line.format(way), check=False).stdout for name, way in ways.items()}
    return {name for name, text in said.items() if f"{name}, Cipher is " in text and "(NONE)" not in text}


def test_tokens_change_without_a_cut_answer(gateway: Gateway, client: Client) -> None:
    token = gateway.tokens["alice"]
    running = "systemctl show fleethands-gateway -p MainPID --value"
    before = gateway.host.run(running).stdout
    long = {**PROMPT, "stream": True, "options": {"num_predict": 400, "num_ctx": 2048}}
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(
            client.ask, "/api/generate", "-N -o /tmp/answer", token=token, body=long, timeout=200
        )  # Ollama answers one prompt at a time, so the proof waits for this one
        until(client.machine, "test -s /tmp/answer", 60)

        old = gateway.tokens.pop("bob")
        gateway.tokens |= {"alice": secrets.token_urlsafe(32), "carol": secrets.token_urlsafe(32)}
        wanted = ["Gateway | Write the tokens of its clients", "Gateway | Use these files"]
        assert gateway.apply() == [*wanted, "Proof | Get an answer to a prompt"]
        assert [client.status("/v1/models", token=each) for each in (old, token)] == [401, 401]
        known = [client.status("/v1/models", token=gateway.tokens[name]) for name in ("alice", "carol", "ops")]
        assert known == [200, 200, 200]
        assert answer.result()[0] == 200
    assert json.loads(client.machine.run("tail -n 1 /tmp/answer").stdout)["done"] is True
    assert gateway.host.run(running).stdout == before
    assert gateway.plan() == []


def test_a_gateway_that_is_not_declared_any_more_leaves_nothing(gateway: Gateway) -> None:
    gateway.tokens.clear()

    assert gateway.apply()[:2] == ["Gateway | Remove the gateway", "Gateway | Remove its user"]

    left = gateway.host.run(
        f"ls -d {paths.GATEWAY} {paths.GATEWAY_UNIT} {paths.GATEWAY_CACHE} {paths.GATEWAY_LOADED};"
        f" ls -d {paths.GATEWAY_RUNTIME}; getent passwd {paths.GATEWAY_USER}; ss -Hltn 'sport = :{PORT}';"
        " ss -Hltn 'sport = :80'; ls -l /etc/systemd/system/nginx.service;"
        " grep -e gateway -e nginx /var/lib/fleethands/made",
        check=False,
    ).stdout
    assert left == ""
    assert gateway.host.run("systemctl is-enabled nginx; systemctl is-active nginx", check=False).stdout.split() == [
        "disabled",
        "inactive",
    ]
    assert gateway.plan() == []


def test_the_openai_package_is_a_client(gateway: Gateway) -> None:
    context = ssl.create_default_context(cadata=gateway.trusted)
    url = f"https://[{gateway.host.address6}]:{PORT}/v1"

    def client(token: str) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=url, api_key=token, max_retries=0, http_client=openai.DefaultHttpxClient(verify=context)
        )

    alice = client(gateway.tokens["alice"])
    assert MODEL in [model.id for model in alice.models.list()]
    said = alice.chat.completions.create(**CHAT)
    assert said.usage is not None
    assert said.usage.completion_tokens > 0
    assert len([*alice.chat.completions.create(**CHAT, stream=True)]) > 1
    with pytest.raises(openai.AuthenticationError, match="needs a header: Authorization: Bearer TOKEN"):
        client("x" * 30).models.list()
    with pytest.raises(openai.PermissionDeniedError, match="may not do this"):
        alice.models.delete("codellama")
    unknown = openai.OpenAI(base_url=url, api_key=gateway.tokens["alice"], max_retries=0)
    with pytest.raises(openai.APIConnectionError):
        unknown.models.list()


# Stands in for an Ollama that answers for ten minutes: a line a second.
SLOW_ANSWER = r"""
use strict;
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => '0.0.0.0:11434', Listen => 16, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
    next if fork;
    $client->autoflush(1);
    while (<$client>) { last if /^\r?$/ }
    print $client "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
    for my $n (1 .. 600) { print $client "6\r\n" . sprintf('%05d', $n) . "\n\r\n"; sleep 1 }
    print $client "0\r\n\r\n";
    exit;
}
"""


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_an_answer_of_ten_minutes_outlives_reloads(gateway: Gateway, client: Client) -> None:
    host, token = gateway.host, gateway.tokens["alice"]
    host.run(
        "systemctl stop ollama; cat > /run/slow.pl; systemd-run -q --unit slow perl /run/slow.pl", stdin=SLOW_ANSWER
    )
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.ask, "/api/generate", token=token, body=PROMPT, timeout=700)
        for _ in range(12):
            time.sleep(45)  # the changes are spread over the answer
            host.run("systemctl reload fleethands-gateway")
        code, said = answer.result()
    assert (code, said.split()) == (200, [f"{number:05}" for number in range(1, 601)])


@pytest.mark.soak
def test_a_foreign_nginx_and_its_page_stay(serving: Host, tmp_path: Path) -> None:
    with serving.outward():
        serving.run("apt-get -q update && apt-get -q -y install --no-install-recommends nginx", timeout=240)
    seen = "systemctl show nginx -p MainPID,UnitFileState,ActiveState; curl -s localhost:80; ls -R /etc/nginx"
    before = serving.run(seen).stdout
    assert "Welcome to nginx" in before
    gateway = Gateway(serving, tmp_path)

    gateway.apply()
    assert gateway.plan() == []
    assert serving.run(seen).stdout == before
    gateway.tokens.clear()
    gateway.apply()
    assert serving.run(seen).stdout == before


@pytest.mark.soak
def test_bookworm_with_declared_files_and_a_reboot(lab: Lab, tmp_path: Path) -> None:
    host = lab["lab-3"]
    host.restore("clean")
    assert host.suite == "bookworm"
    gateway = Gateway(host, tmp_path)
    assert "BEGIN CERTIFICATE" in gateway.trusted
    authority = Authority.read(gateway.authority.read_text())
    issued = authority.issue([NAME], datetime.now(UTC))
    (tmp_path / "own.pem").write_text(issued.chain_pem)
    (tmp_path / "own.key").write_text(issued.key_pem)
    gateway.more = {
        "gateway": f"0.0.0.0:{PORT}", "gateway_names": [NAME], "gateway_authority": None,
        "gateway_certificate": str(tmp_path / "own.pem"), "gateway_key": str(tmp_path / "own.key"),
    }  # fmt: skip
    with host.outward():
        gateway.apply()
    assert gateway.plan() == []
    lab["lab-2"].restore("clean")
    client = Client(lab["lab-2"], gateway)

    host.reboot()

    until(host, "systemctl is-active fleethands-gateway ollama", 60)
    assert client.status("/v1/models", token=gateway.tokens["alice"]) == 200
    assert gateway.plan() == []
    code, said, _ = gateway.run("uninstall")
    assert code == 0, said
    assert host.run(f"getent passwd {paths.GATEWAY_USER}; ls /etc/fleethands", check=False).stdout == ""
