"""Attacks on OpenHands' page on the gateway: by those who cannot log in, and by a person who reaches for more."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.lab import pages
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.gateways import NAME
from tests.lab.gateways import PORT as OLLAMAS_PORT
from tests.lab.pages import PORT, Visitor, basic

# each in the spelling in which it goes over the wire
PATHS = (
    *(
        "/",
        "//",
        "/health",
        "//health",
        "/./health",
        "/x/../health",
        "/%68ealth",
        "/health%00",
        "/health;x",
        "/health#x",
    ),
    *("/api/settings", "/API/settings", "/assets/../api/settings", "/socket.io/?EIO=4&transport=polling"),
    *("/.well-known/x", "/favicon.ico", "http://127.0.0.1:3000/health", "http://localhost/api/settings"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FOO")
HEADERS = (
    "Authorization: Basic Og==",
    "Authorization: Basic YW5uOg==",
    "Authorization: Bearer x",
    "Cookie: __Host-fleethands=",
    "Cookie: __Host-fleethands=.*; x=(;|$)",
    "X-Forwarded-For: 127.0.0.1",
    "X-Original-URL: /health",
    "Host: localhost",
)


def page_tricks(field: Field) -> None:
    """Without a login no path, method or header is answered by OpenHands."""
    gateway = pages.of_state(field.lab, field.host, field.directory)
    neighbour = field.neighbour()
    ask = f"curl -q -sS -k -m 5 --path-as-is -o /dev/null -w '%{{http_code}}\\n' https://{gateway.host.address}:{PORT}/"
    tries = [f"{ask} --request-target '{path}' -X {method}" for path in PATHS for method in METHODS[:3]]
    tries += [f"{ask}health -X {method}" for method in METHODS] + [f"{ask}health -H '{each}'" for each in HEADERS]
    seen = neighbour.run("\n".join(f"{each} || true" for each in tries), timeout=300).stdout.split()
    assert len(seen) == len(tries)
    assert set(seen) <= {"400", "401", "403", "405"}, [*zip(tries, seen, strict=True)]


def page_guessing(field: Field) -> None:
    """Guesses are refused before they are tried, and a person with a session does not wait."""
    gateway = pages.of_state(field.lab, field.host, field.directory)
    ann = Visitor(gateway)
    assert ann.log_in("ann", gateway.people["ann"]) == 200
    neighbour = field.neighbour()
    ask = f"curl -q -sS -k -o /dev/null -w '%{{http_code}} ' https://{gateway.host.address}:{PORT}/health"
    right = f"{ask} -H 'Authorization: {basic('ann', gateway.people['ann'])}'"
    guesses = f"for n in $(seq 60); do {ask} -u ann:guess-$n-xxxxxxxx & done; wait; {right}"
    begin = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        guessing = pool.submit(neighbour.run, guesses, timeout=120)
        asked = [ann.ask("/health")[0] for _ in range(20)]
        answered = time.monotonic() - begin
        seen = guessing.result().stdout.split()
    took = time.monotonic() - begin

    assert set(seen) == {"401", "429"}, seen  # even the right password, as the last one
    assert seen.count("401") <= took + 12
    assert (asked, answered < 10) == ([200] * 20, True)


def page_login_elsewhere(field: Field) -> None:
    """The login of the page does not open Ollama's gateway, and a token of Ollama's does not open the page."""
    gateway = pages.of_state(field.lab, field.host, field.directory)
    ann = Visitor(gateway)
    assert ann.log_in("ann", gateway.people["ann"]) == 200
    connect = f"--connect-to ::{gateway.host.address}:{OLLAMAS_PORT} https://{NAME}:{OLLAMAS_PORT}/v1/models"
    neighbour = field.neighbour()
    session = ann.headers["Cookie"]
    for header in (f"Authorization: {basic('ann', gateway.people['ann'])}", f"Cookie: {session}"):
        done = neighbour.run(f"curl -q -sS -k -o /dev/null -w '%{{http_code}}' -H '{header}' {connect}")
        assert done.stdout == "401", header
    token = gateway.tokens["alice"]
    for header in (f"Bearer {token}", basic("alice", token), basic("", token)):
        assert Visitor(gateway).ask("/health", Authorization=header)[0] == 401, header
    files = (
        "cat /etc/fleethands/gateway/people /etc/fleethands/gateway/sessions; ps axeww; journalctl -t fleethands_page"
    )
    seen = gateway.host.run(files, check=False, user="plain").stdout
    assert not [each for each in ("$2b$", session, *gateway.people.values()) if each in seen]


ATTACKS = (
    Attack(
        "page-tricks",
        Position.NEIGHBOUR,
        "A machine without a login asks for OpenHands' page by other paths, methods and headers.",
        "Each request is refused.",
        page_tricks,
        state="paged",
        slow=True,
    ),
    Attack(
        "page-guessing",
        Position.NEIGHBOUR,
        "A machine sends many guesses of a password at once, the right one among them.",
        "The gateway tries ten, and one a second after that. A person who is logged in does not wait.",
        page_guessing,
        state="paged",
        slow=True,
    ),
    Attack(
        "page-login-elsewhere",
        Position.NEIGHBOUR,
        "A person of the page, a client of Ollama's gateway and another account of the host try each other's way in.",
        "Neither gets in, and the account reads no hash and no session.",
        page_login_elsewhere,
        state="paged",
        slow=True,
    ),
)
