"""A neighbor with the token of the run sends wrong, slow or endless answers. It costs seconds and no wrong byte."""

from __future__ import annotations

import time

import pytest

from tests.unit.share.liar import Answer, Liar, answer, has, not_yet
from tests.unit.share.site import PIECE, Host, finish, pieces_of, random_part, wrong

ENDLESS = b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * 100_000


def left_after_seconds(hosts: list[Host], says: Answer) -> str:
    """The third host takes a part from the first one, although the second one, which is nearer, answers like this."""
    part = random_part(3)
    hosts[0].has(part)
    hosts[0].start_relay()
    Liar(hosts[1], says).start()
    begun = time.monotonic()
    said = finish(hosts[2].ask(part))
    assert time.monotonic() - begun < 25
    assert f"from: {hosts[0].address} " in said
    assert (hosts[2].parts / f"sha256-{part.digest}").read_bytes() == part.bytes
    return said


@pytest.mark.parametrize(
    "says",
    [
        lambda kind, *_: has(3 * PIECE, "complete") if kind == "have" else not_yet(0, "unknown"),
        lambda kind, *_: has(0, "growing") if kind == "have" else not_yet(10**14, "growing"),
        lambda kind, *_: has(10**14, "growing") if kind == "have" else not_yet(5, "growing"),
        lambda kind, *_: has(3 * PIECE, "complete") if kind == "have" else answer(503),
        lambda kind, *_: has(3 * PIECE, "complete") if kind == "have" else answer(206, b"x" * 100),
        lambda kind, *_: has(3 * PIECE, "complete") if kind == "have" else answer(302, b"", "Location: /"),
        lambda kind, *_: has(3 * PIECE, "complete") if kind == "have" else b"HTTP/1.1 206 A\r\n\r\n",
        lambda *_: ENDLESS,
        lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + bytes(1 << 20),
        lambda *_: answer(200, b"9 complete\nfrom: 10.0.0.1 9\n"),
    ],
    ids=[
        "contradicts-itself", "has-more-than-it-sends", "had-more", "without-headers", "short-piece", "redirect",
        "no-length", "endless-header", "endless-body", "more-lines",
    ],
)  # fmt: skip
def test_a_neighbor_that_lies_is_left_for_another(hosts: list[Host], says: Answer) -> None:
    said = left_after_seconds(hosts, says)

    assert f"neighbor: {hosts[1].address} " in said
    assert "from: 10.0.0.1" not in said


@pytest.mark.soak
def test_a_neighbor_that_answers_slowly_is_left(hosts: list[Host]) -> None:
    def says(*_: object) -> bytes:
        time.sleep(2.5)
        return has(0, "unknown")

    part = random_part(12)
    hosts[0].has(part)
    hosts[0].start_relay(rate=4 << 20)
    Liar(hosts[1], says).start()
    said = finish(hosts[2].ask(part), timeout=100)
    assert f"neighbor: {hosts[1].address} stopped answering" in said


@pytest.mark.soak
def test_a_list_that_comes_late_is_not_waited_for_again_and_again(hosts: list[Host]) -> None:
    part = random_part(16)
    listed = pieces_of(part.bytes).encode()
    began: dict[int, float] = {}

    def says(kind: str, begin: int, _: int) -> bytes:
        if kind != "pieces":
            return has(0, "internet") if kind == "have" else not_yet(0, "internet")
        ready = time.monotonic() - began.setdefault(begin, time.monotonic()) > 4
        return answer(206, listed[begin : begin + 65]) if ready else answer(404)

    hosts[1].has(part)
    hosts[1].start_relay()
    Liar(hosts[0], says).start()
    begun = time.monotonic()
    finish(hosts[2].ask(part), timeout=100)
    assert time.monotonic() - begun < 45  # 64, if each digest of the list were waited for


def test_a_manifest_of_another_size_does_not_hide_the_right_one(hosts: list[Host]) -> None:
    manifest = random_part(0.001)
    hosts[0].has(manifest)
    hosts[0].start_relay()
    Liar(hosts[1], lambda kind, *_: has(9000, "complete") if kind == "have" else answer(206, bytes(9000))).start()
    finish(hosts[2].ask(manifest, size=0, largest=65536))
    assert (hosts[2].parts / f"sha256-{manifest.digest}").read_bytes() == manifest.bytes


def test_a_manifest_comes_from_a_host_that_has_it_and_not_from_one_that_wants_it(hosts: list[Host]) -> None:
    manifest = random_part(0.001)
    hosts[0].has(manifest)
    hosts[1].want(manifest)
    for host in hosts[:2]:
        host.start_relay()
    finish(hosts[2].ask(manifest, size=0, largest=65536))
    assert (hosts[2].parts / f"sha256-{manifest.digest}").read_bytes() == manifest.bytes


def test_a_neighbor_without_a_list_is_not_blamed_for_the_bytes_of_another(hosts: list[Host]) -> None:
    part = random_part(2)
    hosts[0].has(part)
    (hosts[1].parts / f"sha256-{part.digest}").write_bytes(wrong(part, 1))
    for host in hosts[:2]:
        host.start_relay()
    said = finish(hosts[2].ask(part))
    assert f"from: {hosts[0].address} {len(part.bytes)}" in said
    assert f"neighbor: {hosts[1].address} sent wrong bytes" in said
    assert f"neighbor: {hosts[0].address}" not in said


def test_a_neighbor_that_sent_wrong_bytes_is_not_asked_for_the_next_part(hosts: list[Host]) -> None:
    first, second = random_part(2), random_part(1)
    (hosts[1].parts / f"sha256-{first.digest}").write_bytes(wrong(first, 0, 1))
    hosts[1].has(second)
    hosts[1].start_relay()
    finish(hosts[2].ask(first), 3)
    assert "from:" not in finish(hosts[2].ask(second), 3)


def test_wrong_bytes_from_before_are_blamed_on_nobody(hosts: list[Host]) -> None:
    part = random_part(2)
    hosts[0].has(part)
    hosts[0].start_relay()
    hosts[1].growing(part).write_bytes(wrong(part, 0)[:PIECE])
    said = finish(hosts[1].ask(part))
    assert f"from: {hosts[0].address} {len(part.bytes)}" in said
    assert "sent wrong bytes" not in said
