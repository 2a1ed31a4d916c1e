"""What this machine sees of a host after its proof."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from fleethands import facts
from fleethands.report.timeline import Timeline
from fleethands.rollout import external_checks
from tests.hosts import declared


def test_a_host_that_dies_after_its_proof_is_broken_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = socket.socket()
    gone.close()
    client = SimpleNamespace(get_transport=lambda: SimpleNamespace(sock=gone))
    host = SimpleNamespace(connector=SimpleNamespace(client=client), name="gpu-1")
    engine: Any = SimpleNamespace(host=lambda _: host, timeline=Timeline())
    monkeypatch.setattr(facts, "probed_settings", lambda _: declared())

    (link,) = external_checks._check_proven_host(engine, "gpu-1")

    assert (link.name, link.ok) == ("open-through-ssh", False)
    assert "lost after the proof" in link.detail


def test_a_forwarded_port_says_nothing_of_the_hosts_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a virtual machine behind 127.0.0.1, ports of this machine would be tried: here, one that answers."""
    monkeypatch.setattr(external_checks, "_is_open", lambda *_: True)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        host: Any = SimpleNamespace(data={"ssh_hostname": "127.0.0.1"}, name="box")
        transport: Any = SimpleNamespace(sock=ours)

        (link,) = external_checks._check_closed_ports(host, transport, declared())

    assert link.ok
    assert link.detail.startswith("not tried")


@pytest.mark.parametrize(
    ("address", "ours", "here"),
    [
        ("::1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "10.0.0.1", False),
        ("10.0.0.2", "", False),
    ],
)
def test_which_addresses_are_of_this_machine(address: str, ours: str, here: bool) -> None:
    assert external_checks.is_own_address(address, ours) is here


def test_what_is_closed_is_said_with_what_was_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_checks, "_is_open", lambda *_: False)
    monkeypatch.setattr(external_checks, "is_own_address", lambda *_: False)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        host: Any = SimpleNamespace(data={"ssh_hostname": "127.0.0.1"}, name="box")
        transport: Any = SimpleNamespace(sock=ours)

        (link,) = external_checks._check_closed_ports(host, transport, declared())

    closed = "11434, 3000 of 127.0.0.1 do not answer this machine"
    assert link.detail == f"{closed}; not tried: routes to its containers, and ports of sandboxes"
