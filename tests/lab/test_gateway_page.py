"""OpenHands' page on the gateway: who sees it, what a change costs those who use it, and what is left without it."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from fleethands import paths
from tests.lab import pages
from tests.lab.flavors import CANVAS, canvas_key
from tests.lab.gateways import PORT as OLLAMAS_PORT
from tests.lab.gateways import Gateway
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.pages import PORT, Visitor, basic, events

LOG = "journalctl --flush; journalctl -q -o cat -t fleethands_page"
SOCKET = "/socket.io/?EIO=4&transport=websocket&latest_event_id=-1&conversation_id="
AGAIN = "42" + json.dumps(["oh_user_action", {"action": "message", "args": {"content": "Say it again."}}])


@pytest.fixture
def gateway(lab: Lab, paged: Host, tmp_path: Path) -> Gateway:
    """The gateway of lab-1, with the page of its OpenHands V0."""
    return pages.of_state(lab, paged, tmp_path)


def refused(visitor: Visitor, path: str, **headers: str) -> int:
    """The status with which a websocket is refused."""
    with pytest.raises(InvalidStatus) as error:
        visitor.socket(path, **headers)
    return error.value.response.status_code


def test_people_log_in_and_a_conversation_outlives_the_revocation_of_another(gateway: Gateway) -> None:
    host, ann, ben, stranger = gateway.host, Visitor(gateway), Visitor(gateway), Visitor(gateway)
    assert gateway.plan() == []
    assert stranger.ask("/health")[0] == 401
    assert stranger.log_in("ann", "a wrong password") == 401
    assert stranger.log_in("ann", gateway.people["ben"]) == 401
    assert "Cookie" not in stranger.headers
    assert [ann.log_in("ann", gateway.people["ann"]), ben.log_in("ben", gateway.people["ben"])] == [200, 200]
    assert [ann.ask("/health")[0] for _ in range(40)] == [200] * 40  # a session is never slowed down

    answer = json.loads(ann.ask("/api/conversations", "POST", {})[1])
    conversation = SOCKET + answer["conversation_id"]
    assert refused(stranger, conversation) == 403
    assert refused(stranger, conversation, Authorization=basic("ann", gateway.people["ann"])) == 403
    with ann.socket(conversation) as socket:
        socket.send("40")
        events(socket, "agent_state_changed")
        old = gateway.people.pop("ben")
        gateway.people["carol"] = secrets.token_urlsafe(16)
        with ThreadPoolExecutor(1) as pool:
            applied = pool.submit(gateway.apply)
            pages.keep_open(socket, applied.done)
        wanted = ["Gateway | Write who may log in to OpenHands' page", "Gateway | Use these files"]
        assert applied.result()[:2] == wanted
        assert [ben.ask("/health")[0], Visitor(gateway).log_in("ben", old)] == [401, 401]
        assert ann.ask("/health")[0] == 200
        socket.send(AGAIN)
        events(socket, '"content":"Say it again."')
    assert Visitor(gateway).log_in("carol", gateway.people["carol"]) == 200
    assert gateway.plan() == []

    lines = [json.loads(line) for line in host.run(LOG).stdout.splitlines()]
    assert ("ann", "/api/conversations", 200) in [(row["person"], row["path"], row["status"]) for row in lines]
    assert {(row["person"], row["path"]) for row in lines if row["status"] == 401} == {("", "")}
    assert {"ann", "ben", "carol"} <= {row["person"] for row in lines}
    said = host.run(f"journalctl -b; {LOG}; cat {paths.GATEWAY_PEOPLE} {paths.GATEWAY_SESSIONS}").stdout
    kept = [*gateway.people.values(), old, basic("ann", gateway.people["ann"])[6:], "transport=websocket"]
    assert not [each for each in kept if each in said]


@pytest.mark.soak
def test_other_sites_cannot_use_a_login_and_openhands_does_not_see_it(gateway: Gateway) -> None:
    ann = Visitor(gateway)
    login = {"Authorization": basic("ann", gateway.people["ann"])}
    # a browser sends the password to every site's requests, but the cookie only to those of the page itself
    assert ann.ask("/api/conversations", "POST", {}, **login)[0] == 403
    assert ann.ask("/health", Origin="https://evil.example", **login)[0] == 403
    assert ann.ask("/health", Origin="null", **login)[0] == 403
    assert ann.log_in("ann", gateway.people["ann"]) == 200
    assert refused(ann, SOCKET, Origin="https://evil.example") == 403
    ben = Visitor(gateway, {**ann.headers, "Authorization": basic("ben", "x" * 20)})
    assert ben.ask("/health")[0] == 200
    assert ben.headers["Cookie"] == ann.headers["Cookie"]  # a session gets no other person's

    # stands in for OpenHands, and shows what it gets
    gateway.host.run(
        "docker stop -t 2 openhands-app; cat > /run/show.pl; systemd-run -q --unit show perl /run/show.pl", stdin=SHOW
    )
    ann.headers["Cookie"] += "; theme=dark"
    seen = ann.ask("/health?x=1", **login, Forwarded="for=1.2.3.4", **{"X-Forwarded-For": "1.2.3.4"})[1].lower()
    assert "theme=dark" in seen
    assert "get /health?x=1 " in seen
    assert not [each for each in ("fleethands", "authorization", "1.2.3.4") if each in seen], seen


SHOW = r"""
use strict;
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1:3000', Listen => 16, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
    my $head = '';
    while (<$client>) { last if /^\r?$/; $head .= $_ }
    print $client "HTTP/1.1 200 OK\r\nContent-Length: " . length($head) . "\r\nConnection: close\r\n\r\n$head";
    close $client;
}
"""


@pytest.mark.soak
def test_a_page_that_is_not_declared_any_more_leaves_nothing(gateway: Gateway) -> None:
    left = (
        f"ls {paths.GATEWAY_PEOPLE} {paths.GATEWAY_SESSIONS}; ss -Hltn 'sport = :{PORT}';"
        f" grep -n -i -e openhands -e page_ -e fleethands_page {paths.GATEWAY_CONFIG}"
    )
    gateway.more["gateway_page"] = None
    gateway.people.clear()

    gateway.apply()

    assert gateway.host.run(left, check=False).stdout == ""
    assert gateway.host.run(f"ss -Hltn 'sport = :{OLLAMAS_PORT}'").stdout
    assert gateway.plan() == []


@pytest.mark.soak
def test_canvas_by_its_key_and_by_a_login(canvas: Host, tmp_path: Path) -> None:
    gateway = pages.with_page(canvas, tmp_path, **CANVAS)
    gateway.people.clear()
    with canvas.outward():
        gateway.apply()
    visitor, key = Visitor(gateway), {"X-Session-API-Key": canvas_key(canvas)}
    assert visitor.ask("/")[0] == 200
    assert visitor.ask("/api/profiles")[0] == 401
    assert visitor.ask("/api/profiles", **key)[0] == 200
    asked = {"initial_message": {"role": "user", "content": [{"type": "text", "text": "Say OK."}], "run": True}}
    asked["workspace"] = {"working_dir": "/projects"}
    profiles = json.loads(visitor.ask("/api/agent-profiles", **key)[1])
    asked["agent_profile_id"] = profiles["active_agent_profile_id"]
    status, said = visitor.ask("/api/conversations", "POST", asked, **key)
    assert status in {200, 201}, said
    with visitor.socket(
        f"/sockets/events/{json.loads(said)['id']}?session_api_key={key['X-Session-API-Key']}"
    ) as socket:
        assert "kind" in json.loads(socket.recv(timeout=60))
    assert gateway.plan() == []

    gateway.people["ann"] = secrets.token_urlsafe(16)
    gateway.apply()
    assert visitor.ask("/", **key)[0] == 401
    assert visitor.log_in("ann", gateway.people["ann"], "/") == 200
    assert [visitor.ask("/api/profiles")[0], visitor.ask("/api/profiles", **key)[0]] == [401, 200]
    assert key["X-Session-API-Key"] not in canvas.run(LOG).stdout


@pytest.mark.soak
def test_bookworm_checks_the_same_hashes(lab: Lab, tmp_path: Path) -> None:
    host = lab["lab-3"]
    host.restore("clean")
    assert host.suite == "bookworm"
    gateway = pages.with_page(host, tmp_path)
    with host.outward():
        gateway.apply()
    ann = Visitor(gateway)
    assert [ann.log_in("ann", "a wrong password"), ann.log_in("ann", gateway.people["ann"])] == [401, 200]
    assert ann.ask("/api/settings", Origin=ann.url)[0] == 200
    assert gateway.plan() == []
    code, said, _ = gateway.run("uninstall")
    assert code == 0, said
    assert host.run(f"getent passwd {paths.GATEWAY_USER}; ls /etc/fleethands", check=False).stdout == ""
