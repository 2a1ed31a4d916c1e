"""What a run makes of the answers of gateways. Real gateways are in tests/lab/test_gateway_group.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gevent  # type: ignore[import-untyped]
import pytest

from fleethands.report.model import HostReport, Report
from fleethands.rollout import drains
from fleethands.script import Script

FRONT = {"front": {"gateway_backends": {"a": "10.0.0.1", "b": "10.0.0.2"}}, "a": {}, "b": {}}


@pytest.fixture
def said() -> dict[str, list[str] | None]:
    """Gateway → what its host prints."""
    return {}


@pytest.fixture
def run(said: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> drains.Drains:
    def answer(_: Any, name: str, script: Script, timeout: float) -> list[str] | None:
        assert timeout >= drains.SHORT
        sent.append(f"{name}: {script.values['backends']}")
        return said.get(name)

    sent: list[str] = []
    monkeypatch.setattr(drains, "run_side_script", answer)
    hosts = [SimpleNamespace(name=name, data=data) for name, data in FRONT.items()]
    engine: Any = SimpleNamespace(
        inventory=hosts, monitor=SimpleNamespace(limits=SimpleNamespace(host=14400.0)), sent=sent
    )
    lines: list[str] = []
    found = drains.Drains(engine, 600.0, lines.append)
    found.lines, found.sent = lines, sent  # type: ignore[attr-defined]
    return found


def notes(run: drains.Drains) -> dict[str, list[str]]:
    report = Report("apply", {name: HostReport("changed") for name in ("a", "b")})
    run.add_notes(report)
    return {name: host.notes for name, host in report.hosts.items() if host.notes}


def test_only_gateways_of_these_hosts_are_asked(run: Any, said: dict[str, Any]) -> None:
    assert run.take_out(["front"]) == ""
    assert run.sent == []

    said["front"] = ["drain: a waited 3 12"]
    assert run.take_out(["a"]) == ""
    said["front"] = ["drain: a back"]
    run.put_back(["a"])

    assert run.sent == ["front: a", "front: a"]
    waited = "it had 3 requests under way, and waited 12 s"
    assert notes(run) == {"a": [f"taken out of the gateway of front: {waited}"]}
    assert run.lines == [
        f"gateway of front: a is taken out: {waited}",
        "gateways: the longest wait for answers under way was 12 s, for a",
    ]


def test_a_host_that_does_not_come_back_is_told(run: Any, said: dict[str, Any]) -> None:
    said["front"] = ["drain: a busy 1 600"]
    assert run.take_out(["a"]) == ""
    said["front"] = ["rm: cannot remove it"]
    run.put_back(["a"])

    (first, second) = notes(run)["a"]

    assert first.endswith("waited 10 min; requests that take longer are cut")
    assert second == "the gateway of front may send it no requests until an apply proves it, or for 4 h 10 min"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["drain: b waited 0 0", "sh: 1: ss: not found"], "a: the gateway of front does not take it out"),
        (["drain: a last 2 0"], "a is the last host that answers behind the gateway of front"),
    ],
)
def test_why_a_host_cannot_be_taken_out(run: Any, said: dict[str, Any], lines: list[str] | None, why: str) -> None:
    said["front"] = lines

    assert run.take_out(["a"]).startswith(why)


def test_a_gateway_that_cannot_be_reached_is_told_and_stops_nothing(run: Any, said: dict[str, Any]) -> None:
    said["front"] = None

    assert run.take_out(["a"]) == ""
    assert notes(run) == {"a": ["gateway of front: the host cannot be reached, so nothing is taken out there"]}


def test_a_wait_that_is_ended_tells_that_the_host_may_be_out(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "run_side_script", lambda *_: gevent.sleep(60))
    gevent.spawn_later(0.05, run.stop)

    assert run.take_out(["a"]) == ""
    assert "may send it no requests" in notes(run)["a"][0]


def test_a_gateway_that_does_not_run_yet_is_no_obstacle(run: Any, said: dict[str, Any]) -> None:
    said["front"] = ["drain: a unknown 0 0"]

    assert run.take_out(["a"]) == ""
    assert notes(run) == {}
