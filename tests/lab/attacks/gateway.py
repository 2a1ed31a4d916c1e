"""Attacks on the gateway: by those without a token, by clients with one, and by other accounts of its host."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.gateways import MODEL, NAME, PORT, Client, Gateway

# each in the spelling in which it goes over the wire
PATHS = (
    *(
        "//api/delete",
        "/api//delete",
        "/api/./delete",
        "/API/DELETE",
        "/api/DELETE",
        "/api/delete/",
        "/x/../api/delete",
    ),
    *("/api/generate/../delete", "/api/%2e%2e/api/delete", "/v1/../api/delete", "/api/tags%2f..%2fdelete"),
    *("/api/%64elete", "/api%2fdelete", "/%61pi/delete", "/api/delete%00", "/api/delete%3fx", "/api/delete%20"),
    *("/api/delete;x", "/api/delete#x", "/api\\delete", "/.fleethands/unknown", "http://127.0.0.1:11434/api/delete"),
)
METHODS = ("DELETE", "delete", "POST", "PUT", "PATCH", "GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", "FOO")
HEADERS = ("X-HTTP-Method-Override: DELETE", "X-Original-URL: /api/delete", "X-Rewrite-URL: /api/delete")
# the second request hides in the body of the first, by one of two lengths
SMUGGLED = {
    "both lengths": "Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n",
    "an unknown coding": "Content-Length: {length}\r\nTransfer-Encoding: xchunked\r\n",
    "a space before the colon": "Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n",
    "two codings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "two lengths": "Content-Length: 0\r\nContent-Length: {length}\r\n",
    "a signed length": "Content-Length: +{length}\r\n",
    "a folded header": "X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n",
}
OLLAMAS_LOG = "journalctl -q -u ollama -o cat | grep -F '[GIN] ' || true"  # its requests


def path_tricks(field: Field) -> None:
    gateway, client = _gateway(field)
    token = gateway.tokens["alice"]
    header = f"-H 'Authorization: Bearer {token}'"
    tries = [(path, "DELETE", "") for path in PATHS] + [("/api/delete", method, "") for method in METHODS]
    tries += [("/api/generate", "POST", f"-H '{each}'") for each in HEADERS]
    body = f'{{"model":"{MODEL}"}}'
    ask = f"curl -q -sS -k -m 5 --path-as-is {header} -d '{body}' -o /dev/null https://{gateway.host.address}:{PORT}/"
    lines = [f"{ask} -X {method} --request-target '{path}' {more} || true" for path, method, more in tries]
    client.machine.run("\n".join(lines), timeout=300)

    asked = gateway.host.run(OLLAMAS_LOG).stdout
    assert "DELETE" not in asked
    assert "/api/delete" not in asked
    assert MODEL in client.ask("/v1/models", token=token)[1]


def token_guessing(field: Field) -> None:
    gateway, client = _gateway(field)
    ask = f"curl -q -sS -k -o /dev/null -w '%{{http_code}} ' https://{gateway.host.address}:{PORT}/v1/models"
    guesses = f'for n in $(seq 40); do {ask} -H "Authorization: Bearer guess-$n-{"x" * 24}" & done; wait'
    begin = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        guessing = pool.submit(client.machine.run, guesses, timeout=120)
        code, _ = client.ask("/v1/models", token=gateway.tokens["alice"])
        answered = time.monotonic() - begin
        seen = guessing.result().stdout.split()
    took = time.monotonic() - begin

    assert set(seen) == {"401", "429"}, seen
    assert seen.count("401") <= took + 21
    assert (code, answered < 5) == (200, True)  # the same address, with a right token


def smuggling(field: Field) -> None:
    gateway, client = _gateway(field)
    token = gateway.tokens["alice"]
    hidden = f"DELETE /api/delete HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 2\r\n\r\n{{}}"
    for name, lengths in SMUGGLED.items():
        body = f"0\r\n\r\n{hidden}"
        sent = (
            f"POST /api/show HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {token}\r\n"
            f"{lengths.format(length=len(body))}\r\n{body}"
        )
        connect = f"timeout 5 openssl s_client -quiet -connect {gateway.host.address}:{PORT}"
        client.machine.run(f"{connect} 2>/dev/null", check=False, stdin=sent)
        assert "DELETE" not in gateway.host.run(OLLAMAS_LOG).stdout, name


def log_of_another(field: Field) -> None:
    """Neither a client nor another account of the host learns who asked for what, or a token."""
    gateway, client = _gateway(field)
    client.ask("/api/show", token=gateway.tokens["bob"], body={"model": MODEL})
    token = gateway.tokens["alice"]
    for path in ("/logs", "/.fleethands/log", "/metrics", "/status", "/nginx_status"):
        assert client.status(path, token=token) == 403, path
    files = "cat /etc/fleethands/gateway/* /run/fleethands-gateway/* /run/fleethands/gateway"
    seen = gateway.host.run(
        f"{files}; journalctl -t fleethands_gateway; ps axeww; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ",
        check=False, user="plain",
    )  # fmt: skip
    assert not [
        each for each in ("bob", "PRIVATE KEY", *gateway.tokens.values()) if each in seen.stdout.replace(NAME, "")
    ]


def _gateway(field: Field) -> tuple[Gateway, Client]:
    gateway = Gateway.of_state(field.lab, field.host, field.directory)
    return gateway, Client(field.neighbour(), gateway)


ATTACKS = (
    Attack(
        "gateway-path-tricks",
        Position.CLIENT,
        "A client spells the path or the method of a call that manages models in every other way.",
        "Ollama gets no such call, and the model stays.",
        path_tricks,
        state="guarded",
    ),
    Attack(
        "gateway-token-guessing",
        Position.NEIGHBOUR,
        "A machine sends many guesses of a token at once.",
        "It gets one answer a second, then 429. A client with a token on the same machine does not wait.",
        token_guessing,
        state="guarded",
        slow=True,
    ),
    Attack(
        "gateway-smuggling",
        Position.CLIENT,
        "A client hides a request in the body of another one, by headers that two servers could read in two ways.",
        "Ollama gets no such request.",
        smuggling,
        state="guarded",
        slow=True,
    ),
    Attack(
        "gateway-log-of-another",
        Position.CLIENT,
        "A client, and another account of the host, look for the log and the tokens of other clients.",
        "Neither finds any.",
        log_of_another,
        state="guarded",
        slow=True,
    ),
)
