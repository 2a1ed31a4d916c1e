"""A chain of hosts passes a part on while it still arrives, and survives neighbors that die, lie or keep silent."""

import os
import signal
import socket
import threading
import time

import pytest

from tests.unit.share.site import PIECE, TOKEN, Host, finish, pieces_of, random_part, wrong


def sent_by(host: Host, said: str) -> int:
    """Bytes that others took from a host."""
    rows = [line.split() for line in said.splitlines() if line.startswith(f"from: {host.address} ")]
    return sum(int(row[2]) for row in rows)


def test_a_part_is_passed_on_while_it_arrives(hosts: list[Host]) -> None:
    part = random_part(5.5)
    for host in hosts:
        host.start_relay()
        host.want(part)  # who begins before its neighbor takes what is there from the first host
    begun = time.monotonic()
    hosts[0].download(part, seconds=3)
    asked = [host.ask(part) for host in hosts[1:]]
    said = [finish(each) for each in asked]
    took = time.monotonic() - begun
    for host in hosts[1:]:
        assert (host.parts / f"sha256-{part.digest}").read_bytes() == part.bytes
        assert not host.growing(part).exists()
    assert max(sent_by(host, "".join(said)) for host in hosts) <= 2 * len(part.bytes)
    assert took < 11  # one after the other, four hosts would need 12 s


def test_a_host_that_nobody_serves_downloads_itself_at_once(hosts: list[Host]) -> None:
    part = random_part(1)
    begun = time.monotonic()
    assert "progress" not in finish(hosts[0].ask(part), 3)
    assert time.monotonic() - begun < 4


def test_a_later_host_takes_what_others_have(hosts: list[Host]) -> None:
    part = random_part(2.5)
    hosts[3].has(part)
    hosts[3].start_relay()
    said = finish(hosts[0].ask(part))
    assert f"from: {hosts[3].address} {len(part.bytes)}" in said
    assert (hosts[0].parts / f"sha256-{part.digest}").read_bytes() == part.bytes


def test_a_blob_of_the_model_store_is_served_where_it_lies(hosts: list[Host]) -> None:
    part = random_part(1.5)
    (hosts[0].store / f"sha256-{part.digest}").write_bytes(part.bytes)
    hosts[0].start_relay()
    assert f"from: {hosts[0].address}" in finish(hosts[1].ask(part))


def test_a_host_continues_at_its_own_offset(hosts: list[Host]) -> None:
    part = random_part(4)
    hosts[0].has(part)
    hosts[0].start_relay()
    hosts[1].growing(part).write_bytes(part.bytes[: 2 * PIECE + 5])
    assert f"from: {hosts[0].address} {2 * PIECE}\n" in finish(hosts[1].ask(part))


def test_a_killed_host_is_skipped(hosts: list[Host]) -> None:
    part = random_part(8)
    relays = [host.start_relay() for host in hosts]
    hosts[0].download(part, seconds=4)
    asked = [host.ask(part) for host in hosts[1:]]
    time.sleep(1.5)
    for process in (relays[1], asked[0]):
        process.kill()
    begun = time.monotonic()
    said = [finish(each) for each in asked[1:]]
    assert time.monotonic() - begun < 14
    assert f"from: {hosts[0].address}" in said[0]
    assert f"neighbor: {hosts[2].address}" not in said[1]  # it keeps its neighbor


def test_a_frozen_host_costs_seconds_and_is_not_asked_again(hosts: list[Host]) -> None:
    first, second = random_part(3), random_part(1)
    relays = [host.start_relay() for host in hosts[:2]]
    for part in (first, second):
        hosts[0].has(part)
        hosts[1].has(part)
    relays[1].send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    finish(hosts[2].ask(first))
    assert time.monotonic() - begun < 10
    begun = time.monotonic()
    finish(hosts[2].ask(second))
    assert time.monotonic() - begun < 3


def test_a_host_whose_relay_starts_later_is_waited_for(hosts: list[Host]) -> None:
    part = random_part(2)
    asked = hosts[1].ask(part)
    time.sleep(1)
    hosts[0].has(part)
    hosts[0].start_relay()
    assert f"from: {hosts[0].address} {len(part.bytes)}" in finish(asked)


def test_wrong_pieces_do_not_spread(hosts: list[Host]) -> None:
    part = random_part(6)
    hosts[0].is_downloading(part)
    hosts[1].want(part)
    hosts[1].growing(part).write_bytes(wrong(part, 1, 2, 3, 4))
    for host in hosts:
        host.start_relay()
    hosts[2].want(part)
    asked = [host.ask(part) for host in hosts[2:]]
    said = [finish(each) for each in asked]
    assert f"neighbor: {hosts[1].address} sent wrong bytes" in said[0]
    assert f"from: {hosts[2].address} " in said[1]
    assert f"neighbor: {hosts[2].address}" not in said[1]  # the honest neighbor is still asked
    assert (hosts[3].parts / f"sha256-{part.digest}").read_bytes() == part.bytes


def test_a_wrong_list_gets_no_honest_host_left_out(hosts: list[Host]) -> None:
    part = random_part(3)
    for host in hosts[:3]:
        host.is_downloading(part)
        host.start_relay()
    (hosts[0].parts / f"sha256-{part.digest}.pieces").write_text(pieces_of(wrong(part, 0, 1, 2)))
    said = finish(hosts[3].ask(part))
    assert f"from: {hosts[2].address} {len(part.bytes)}" in said
    assert f"neighbor: {hosts[2].address}" not in said


def test_wrong_bytes_with_a_list_that_agrees_are_found_at_the_end(hosts: list[Host]) -> None:
    part = random_part(3)
    bad = wrong(part, 1)
    hosts[0].is_downloading(part, bad)
    hosts[0].start_relay()
    finish(hosts[1].ask(part), 3)
    assert list(hosts[1].parts.iterdir()) == []


@pytest.mark.soak
def test_a_slow_internet_is_no_fault_of_the_neighbor(hosts: list[Host]) -> None:
    part = random_part(1)
    for host in hosts[:2]:
        host.start_relay()
    hosts[0].download(part, seconds=14)
    said = finish(hosts[1].ask(part))
    assert f"from: {hosts[0].address} {len(part.bytes)}" in said


class Dripping(threading.Thread):
    """A neighbor that says it has the part, and sends a byte of it now and then."""

    def __init__(self, host: Host, size: int) -> None:
        super().__init__(daemon=True)
        self.size = size
        self.listener = socket.create_server((host.address, host.port))

    def run(self) -> None:
        connection, _ = self.listener.accept()
        self.listener.close()
        connection.recv(4096)
        said = b"%d complete\n" % self.size
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 206 Partial Content\r\nContent-Length: %d\r\n\r\n" % min(self.size, PIECE))
        try:
            while True:
                connection.sendall(b"x")
                time.sleep(0.1)
        except OSError:
            pass


def test_a_dripping_neighbor_is_left_after_seconds(hosts: list[Host]) -> None:
    part = random_part(2)
    hosts[0].has(part)
    hosts[0].start_relay()
    Dripping(hosts[1], len(part.bytes)).start()
    begun = time.monotonic()
    said = finish(hosts[2].ask(part))
    assert time.monotonic() - begun < 12
    assert f"neighbor: {hosts[1].address} stopped answering" in said


@pytest.mark.soak
def test_a_head_without_progress_is_left_after_seconds(hosts: list[Host]) -> None:
    part = random_part(2)
    hosts[0].start_relay()
    hosts[0].want(part, "internet", "wanted")
    hosts[0].growing(part).write_bytes(part.bytes[:PIECE])
    begun = time.monotonic()
    finish(hosts[1].ask(part), 3)
    assert time.monotonic() - begun < 16
    assert hosts[1].growing(part).read_bytes() == part.bytes[:PIECE]  # the download continues from here


@pytest.mark.parametrize("text", ["", "before 127.0.0.1", "before $(id) 80", "sideways 127.0.0.1 80"])
def test_a_line_that_names_no_neighbor_is_skipped(hosts: list[Host], text: str) -> None:
    (hosts[1].run / "neighbors").write_text(text)
    finish(hosts[1].ask(random_part(0.1)), 3)


def test_another_token_is_refused(hosts: list[Host]) -> None:
    part = random_part(1)
    hosts[0].has(part)
    hosts[0].start_relay()
    hosts[1].knows([hosts[0]], token="u" * 40)
    assert f"neighbor: {hosts[0].address} refuses this host" in finish(hosts[1].ask(part), 3)
    assert TOKEN not in os.listdir(hosts[1].run)


def test_a_host_that_is_not_of_the_site_gets_nothing(hosts: list[Host]) -> None:
    part = random_part(1)
    hosts[0].has(part)
    (hosts[0].run / "hosts").write_text("10.0.0.1\n")
    hosts[0].start_relay()
    assert "progress" not in finish(hosts[1].ask(part), 3)


def test_a_part_that_was_imported_elsewhere_is_still_served(hosts: list[Host]) -> None:
    part = random_part(2)
    hosts[0].start_relay()
    hosts[0].is_downloading(part, part.bytes[:PIECE])
    asked = hosts[1].ask(part)
    while not hosts[1].growing(part).exists() or hosts[1].growing(part).stat().st_size < PIECE:
        time.sleep(0.05)
    hosts[0].growing(part).open("ab").write(part.bytes[PIECE:])
    hosts[0].growing(part).rename(hosts[0].parts.parent / "blob")
    finish(asked)


def test_a_rate_holds(hosts: list[Host]) -> None:
    part = random_part(2)
    hosts[0].has(part)
    hosts[0].start_relay(rate=4 << 20)
    begun = time.monotonic()
    finish(hosts[1].ask(part))
    assert 1.6 < time.monotonic() - begun < 6


def test_a_relay_ends_when_nobody_asks(hosts: list[Host]) -> None:
    assert hosts[0].start_relay(idle=1).wait(timeout=5) == 0


def test_a_link_to_a_file_of_somebody_else_is_not_served(hosts: list[Host]) -> None:
    part = random_part(1)
    other = hosts[0].parts.parent / "other"
    other.write_bytes(part.bytes)
    (hosts[0].store / f"sha256-{part.digest}").symlink_to(other)
    hosts[0].start_relay()
    finish(hosts[1].ask(part), 3)
