"""The relay against a host of its site that has the token, and against an account of its own host."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.unit.share.site import PIECE, TOKEN, Host, finish, random_part


@pytest.fixture
def relay(hosts: list[Host]) -> Host:
    hosts[0].start_relay()
    return hosts[0]


def connect(host: Host, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((host.address, host.port), timeout=10, source_address=(source, 0))


def request(host: Host, path: str, *headers: str, token: str = TOKEN, source: str = "127.0.0.1") -> bytes:
    """The first block of the answer; empty if the relay closed the connection."""
    lines = [f"GET {path} HTTP/1.1", f"Authorization: Bearer {token}", *headers, "", ""]
    try:
        with connect(host, source) as connection:
            connection.sendall("\r\n".join(lines).encode())
            return connection.recv(1 << 16)
    except OSError:
        return b""


def test_one_host_cannot_take_all_connections(relay: Host) -> None:
    part = random_part(0.01)
    relay.has(part)
    (relay.run / "hosts").write_text("127.0.0.1\n127.0.0.5\n")
    held = [connect(relay) for _ in range(300)]
    time.sleep(1)

    assert b"200 OK" in request(relay, f"/have/{part.digest}", source="127.0.0.5")
    for each in held:
        each.close()


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/have/" + "a" * 63, "X: y", b"400"),
        ("/have/../../etc/passwd", "X: y", b"400"),
        ("/part/" + "a" * 64, "Range: bytes=9-5", b"416"),
        ("/part/" + "a" * 64, "Range: bytes=0-99999999999", b"416"),
        ("/part/" + "a" * 64, "Range: bytes=-5", b"416"),
        ("/part/" + "a" * 64, "Range: bytes=99999999999999999999-", b"416"),
        ("/pieces/" + "a" * 64, "Range: bytes=999999999999999-", b"404"),
        ("/part/" + "a" * 64, "Range: bytes=999999999999000-999999999999999", b"503"),
    ],
)
def test_odd_requests_have_their_answer(relay: Host, path: str, header: str, status: bytes) -> None:
    assert request(relay, path, header).startswith(b"HTTP/1.1 " + status)
    assert request(relay, "/have/" + "a" * 64).endswith(b"0 unknown\n")


def test_an_endless_header_ends_the_connection(relay: Host) -> None:
    with connect(relay) as connection, suppress(OSError):
        for _ in range(20):
            connection.sendall(b"X-More: and more\r\n" * 100)
            time.sleep(0.1)
        pytest.fail("the relay reads on")


def test_a_reader_that_reads_nothing_holds_nobody_up(relay: Host) -> None:
    part = random_part(4)
    relay.has(part)
    slow = [connect(relay) for _ in range(8)]
    for each in slow:
        head = f"GET /part/{part.digest} HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        each.sendall(f"{head}Range: bytes=0-{4 * PIECE - 1}\r\n\r\n".encode())
    begun = time.monotonic()
    assert request(relay, f"/have/{part.digest}").endswith(b" complete\n")
    assert time.monotonic() - begun < 3
    for each in slow:
        each.close()


def test_the_token_of_a_run_that_ended_opens_nothing(relay: Host) -> None:
    path = "/have/" + "a" * 64
    assert b"200 OK" in request(relay, path)
    (relay.run / "tokens.new").write_text("u" * 40 + "\n")
    (relay.run / "tokens.new").rename(relay.run / "tokens")
    assert b"403" in request(relay, path)
    assert b"200 OK" in request(relay, path, token="u" * 40)


def test_a_relay_works_on_while_its_host_does(hosts: list[Host]) -> None:
    process, busy = hosts[0].start_relay(idle=2), hosts[0].run / "busy"
    busy.touch()
    for second in range(5):
        os.utime(busy, (second, 10**9 + second))  # a clock that is wrong does not matter
        time.sleep(1)
    assert process.poll() is None
    assert process.wait(timeout=8) == 0


@pytest.mark.parametrize("kind", ["link", "directory", "pipe", "hidden"])
def test_what_the_owner_of_the_store_puts_there_leads_nowhere(hosts: list[Host], kind: str, tmp_path: Path) -> None:
    """The owner of the store is another account than that of the file."""
    part, other = random_part(0.1), tmp_path / "other"
    other.mkdir()
    (other / f"sha256-{part.digest}").write_bytes(part.bytes)
    place = hosts[0].store / f"sha256-{part.digest}"
    match kind:
        case "link":
            place.symlink_to(other / place.name)
        case "directory":
            place.mkdir()
        case "pipe":
            os.mkfifo(place)
        case "hidden":  # the store itself is a link to a directory of another account
            hosts[0].store.rmdir()
            hosts[0].store.symlink_to(other)
    hosts[0].start_relay(owner=os.getuid() + (kind == "hidden"))
    finish(hosts[1].ask(part), 3)
