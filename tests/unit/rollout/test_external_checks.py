"""What this machine checks of a host after its proof, over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from fleethands import facts
from fleethands.command_line import CommandLine
from fleethands.operations.core.proof_record import Link
from fleethands.report.model import HostReport, Report
from fleethands.report.timeline import Timeline
from fleethands.rollout import external_checks
from fleethands.rollout.external_checks import check_host, is_own_address, patience, run_external_checks
from tests.hosts import declared


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def host(server: socket.socket) -> Iterator[Any]:
    """A host of pyinfra whose connection comes from `server`."""
    with socket.create_connection(server.getsockname()) as ours:
        client = SimpleNamespace(get_transport=lambda: SimpleNamespace(sock=ours))
        yield SimpleNamespace(name="box", data={"ssh_hostname": "127.0.0.1"}, connector=SimpleNamespace(client=client))


@pytest.fixture
def another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 stands for another machine's address."""
    monkeypatch.setattr(external_checks, "is_own_address", lambda *_: False)


def settings(port: int) -> Any:
    return declared(openhands_flavor="off", ollama_host=f"0.0.0.0:{port}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_port_that_answers_is_a_broken_link(another_machine: None, host: Any, server: socket.socket) -> None:
    port = server.getsockname()[1]

    (link,) = check_host(host, settings(port))

    assert (link.name, link.ok) == ("closed-from-outside", False)
    assert link.detail == f"from this machine, 127.0.0.1 port {port} answers, but should be closed"


def test_a_closed_port_is_reported_with_what_was_not_checked(another_machine: None, host: Any) -> None:
    port = free_port()

    (link,) = check_host(host, settings(port))

    assert link.ok
    assert link.detail == (
        f"{port} of 127.0.0.1 do not answer this machine; not checked: routes to its containers, ports of sandboxes"
    )


def test_a_port_forwarded_to_this_machine_says_nothing_of_the_host(host: Any, server: socket.socket) -> None:
    (link,) = check_host(host, settings(server.getsockname()[1]))

    assert (link.ok, link.detail) == (True, "skipped: the host is reached through a forwarded local port")


@pytest.mark.parametrize("data", [{"firewall": False}, {"allow_from": ["10.0.0.0/8"]}])
def test_ports_that_may_be_open_are_not_checked(another_machine: None, host: Any, data: dict[str, Any]) -> None:
    assert check_host(host, declared(openhands_flavor="off", **data)) == []


@pytest.mark.parametrize(
    ("address", "ours", "own"),
    [
        ("::1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "10.0.0.1", False),
        ("10.0.0.2", "", False),
    ],
)
def test_which_addresses_are_this_machines_own(address: str, ours: str, own: bool) -> None:
    assert is_own_address(address, ours) is own


def test_a_host_that_is_lost_after_its_proof_fails_alone(monkeypatch: pytest.MonkeyPatch, host: Any) -> None:
    host.connector.client.get_transport().sock.close()

    def send(*_: Any, **__: Any) -> None:
        raise OSError("closed")

    host.run_shell_command = send
    monitor = SimpleNamespace(commands={"box": 3})
    engine: Any = SimpleNamespace(
        host=lambda _: host, has_proven=lambda name: name == "box", names=["box"], timeline=Timeline(), monitor=monitor
    )
    engine.command_line = CommandLine("apply", "fleet.py")
    engine.started, engine.nested, engine.executed = 0.0, [], lambda _: []
    monkeypatch.setattr(facts, "probed_settings", lambda _: declared())
    report = Report("apply", {"box": HostReport("changed"), "other": HostReport("changed")})

    run_external_checks(engine, report, ["box", "other"])

    box, other = report.hosts["box"], report.hosts["other"]
    assert (box.status, other.status) == ("failed", "changed")
    assert box.reason.startswith("open-through-ssh: the connection was lost after the proof")
    assert [link.ok for link in box.proof] == [False]


@pytest.mark.parametrize(("round_trip", "seconds"), [(0.001, 1.5), (0.1, 1.5), (0.37, 2.11), (60.0, 10.0), (None, 3.1)])
def test_silence_is_heard_for_some_round_trips_after_a_lost_request(round_trip: float | None, seconds: float) -> None:
    assert patience(round_trip) == pytest.approx(seconds)


def test_ports_that_were_tried_during_the_proof_are_not_tried_again(
    another_machine: None, host: Any, server: socket.socket
) -> None:
    seen = [Link("closed-from-outside", True, 1.5, "seen")]

    assert check_host(host, settings(server.getsockname()[1]), seen) == seen
