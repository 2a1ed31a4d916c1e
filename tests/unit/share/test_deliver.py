"""A bundle crosses the line to a site once: hosts pass the parts on, while they still arrive from the controller."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from fleethands.operations.share import programs
from tests.helpers.delivering import Delivery
from tests.unit.share.site import PIECE, Host, Part, pieces_of, random_part, wrong

RATE = 8 << 20  # bytes a second of the line from the controller


def delivery(host: Host, *parts: Part, rate: int = RATE, **values: str) -> Delivery:
    """The delivery to a host whose relay may run."""
    for name in ("wanted", "internet", "kept", "silent"):
        (host.run / name).mkdir(exist_ok=True)
    (host.run / "ask_neighbors.pl").write_text(programs.ask_neighbors())
    (host.run / "hash_pieces.pl").write_text(programs.hash_pieces())
    where = {"store": str(host.parts), "share": str(host.run), **values}
    return Delivery(host.parts.parent, [each.bytes for each in parts], rate=rate, values=where)


def assert_has(host: Host, *parts: Part) -> None:
    for part in parts:
        assert (host.parts / f"sha256-{part.digest}").read_bytes() == part.bytes
        assert not host.growing(part).exists()


def leftovers(each: Delivery, host: Host) -> list[Path]:
    """What a delivery leaves next to parts and lists of pieces."""
    return [*host.run.glob("wanted/*"), *host.run.glob("internet/*"), *each.work.parent.glob("delivery*")]


def test_the_controller_sends_each_part_once(hosts: list[Host]) -> None:
    parts = [random_part(3.5), random_part(1), random_part(0.1)]
    for host in hosts:
        host.start_relay()

    running = [delivery(host, *parts).start() for host in hosts]

    assert [each.finish() for each in running] == [0] * len(hosts), [each.said for each in running]
    for host in hosts:
        assert_has(host, *parts)
    size = sum(len(each.bytes) for each in parts)
    assert size <= sum(each.sent for each in running) <= 1.05 * size
    notes = [line for each in running[1:] for line in each.said if line.startswith("note: bundle parts: ")]
    assert any(line.endswith(f" MiB from the neighbor {hosts[0].address}") for line in notes)
    assert [leftovers(*each) for each in zip(running, hosts, strict=True)] == [[]] * len(hosts)


def test_a_neighbor_of_an_earlier_batch_gives_everything(hosts: list[Host]) -> None:
    part = random_part(2)
    hosts[0].has(part)
    hosts[0].start_relay()
    second = delivery(hosts[1], part)

    assert (second.run(), second.sent, second.asked) == (0, 0, [])
    assert_has(hosts[1], part)


def test_a_host_without_a_relay_gets_all_from_the_controller(hosts: list[Host]) -> None:
    part = random_part(1)
    alone = Delivery(hosts[0].parts.parent, [part.bytes], values={"store": str(hosts[0].parts)})

    assert (alone.run(), alone.sent) == (0, len(part.bytes))
    assert_has(hosts[0], part)


def test_a_neighbor_that_dies_is_left_for_the_controller(hosts: list[Host]) -> None:
    """The rest comes from the controller, from the byte on at which the neighbor stopped."""
    part = random_part(4)
    relay = hosts[0].start_relay()
    hosts[1].start_relay()
    first = delivery(hosts[0], part, rate=4 << 20).start()
    second = delivery(hosts[1], part, rate=0).start()
    while not hosts[1].growing(part).exists() or hosts[1].growing(part).stat().st_size < PIECE:
        time.sleep(0.02)

    relay.kill()
    begun = time.monotonic()
    status = second.finish()

    assert (status, time.monotonic() - begun < 20) == (0, True), second.said
    assert_has(hosts[1], part)
    ((_, start),) = second.asked
    assert start >= PIECE
    assert second.sent == len(part.bytes) - start
    assert any(f"neighbor {hosts[0].address} stopped answering" in line for line in second.said), second.said
    first.finish()


def test_a_host_whose_controller_is_gone_is_left_by_its_neighbor(hosts: list[Host]) -> None:
    part = random_part(4)
    for host in hosts[:2]:
        host.start_relay()
    first = delivery(hosts[0], part, rate=4 << 20)
    first.cut = 6 << 20
    second = delivery(hosts[1], part, rate=0)

    begun = time.monotonic()
    first.start()
    second.start()

    assert (first.finish(), second.finish()) == (1, 0), second.said
    assert time.monotonic() - begun < 20
    assert_has(hosts[1], part)
    assert leftovers(first, hosts[0]) == []


def test_a_lying_neighbor_costs_a_second_request_and_no_wrong_byte(hosts: list[Host]) -> None:
    """Its list of pieces agrees with its bytes, and it stops in the middle."""
    part = random_part(3)
    hosts[0].is_downloading(part, wrong(part, 1)[: 2 * PIECE])
    (hosts[0].parts / f"sha256-{part.digest}.pieces").write_text(pieces_of(wrong(part, 1)[: 2 * PIECE]))
    hosts[0].start_relay()
    second = delivery(hosts[1], part, rate=0)

    assert second.run() == 0, second.said
    assert [start for _, start in second.asked] == [2 * PIECE, 0]
    assert_has(hosts[1], part)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_script_that_is_ended_leaves_nothing_behind(hosts: list[Host], number: int) -> None:
    part = random_part(4)
    for host in hosts[:2]:
        host.start_relay()
    first = delivery(hosts[0], part, rate=1 << 20).start()
    second = delivery(hosts[1], part, rate=1 << 20).start()
    while not hosts[1].run.joinpath("wanted", part.digest).exists() or not hosts[0].growing(part).exists():
        time.sleep(0.02)
    time.sleep(1)

    for each in (second, first):
        os.kill(each.process.pid, number)
        assert each.process.stdin
        each.process.stdin.close()

    assert (first.finish(10), second.finish(10)) == (1, 1)
    assert [leftovers(*each) for each in ((first, hosts[0]), (second, hosts[1]))] == [[], []]
    assert [path for path in Path("/proc").glob("[0-9]*/environ") if f"digest={part.digest}" in read(path)] == []


def read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace").replace("\0", "\n")
    except OSError:
        return ""
