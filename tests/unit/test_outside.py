"""What this machine sees of a host after its proof."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from fleethands import facts
from fleethands.rollout import outside
from fleethands.rollout.timeline import Timeline
from tests.hosts import declared


def test_a_host_that_dies_after_its_proof_is_broken_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = socket.socket()
    gone.close()
    client = SimpleNamespace(get_transport=lambda: SimpleNamespace(sock=gone))
    host = SimpleNamespace(connector=SimpleNamespace(client=client), name="gpu-1")
    engine: Any = SimpleNamespace(host=lambda _: host, timeline=Timeline())
    monkeypatch.setattr(facts, "asked_for", lambda _: declared())

    (link,) = outside._looked(engine, "gpu-1")

    assert (link.name, link.ok) == ("open-through-ssh", False)
    assert "lost after the proof" in link.detail
