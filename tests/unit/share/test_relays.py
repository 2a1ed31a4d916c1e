"""Relays run on all hosts of a site of which one is going to download something, and only on these."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from fleethands.engine.host_run import HostRun
from fleethands.operations.share.relay_scripts import IDLE
from fleethands.report.model import ChangeReport, HostReport, Report
from fleethands.rollout.shared_downloads import SharedDownloads
from fleethands.settings import read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.share import relays
from fleethands.share.chain import ALONE, NO_ADDRESS, SAME_ADDRESS
from fleethands.share.relays import FRESH, LISTENS

OFFICE = {"models": ["m:1"], "share": True, "site": "office"}
PULL = ChangeReport("Models", "Pull", "model m:1", "missing", "present", consequence="downloads m:1 (3 GB)")


class Host:
    """A connected host that answers like a shell, or not at all."""

    connected = True

    def __init__(self, says: tuple[str, ...]) -> None:
        self.says, self.scripts = says, list[str]()
        self.connector = SimpleNamespace(client=None)

    def run_shell_command(self, _: Any, *, _stdin: str, _timeout: int) -> Any:
        self.scripts.append(_stdin)
        return True, SimpleNamespace(output_lines=list(self.says))


class Engine:
    """A stand-in of hosts that share downloads."""

    def __init__(self, says: dict[str, tuple[str, ...]], **data: dict[str, Any]) -> None:
        self.known_settings = SimpleNamespace(by_host=read_fleet(data, Lockfile()))
        self.hosts = {name: Host(says.get(name, (LISTENS,))) for name in data}
        self.counted: list[str] = []
        self.host_runs: dict[str, HostRun] = {}
        self.monitor = SimpleNamespace(count_command=self.counted.append)

    def host(self, name: str) -> Host:
        return self.hosts[name]


def plan(**changes: ChangeReport | None) -> Report:
    hosts = {
        name: HostReport("pending", changes=[change]) if change else HostReport("unchanged")
        for name, change in changes.items()
    }
    return Report("apply", hosts)


def office(number: int) -> dict[str, Any]:
    return {**OFFICE, "share_address": f"10.0.0.{number}"}


def shared(engine: Any, made: Report, said: list[str] | None = None) -> SharedDownloads:
    return SharedDownloads(engine, made, (said if said is not None else []).append)


def test_a_host_with_nothing_to_do_takes_part() -> None:
    engine, said = Engine({}, a=office(1), b=office(2), c={**office(3), "site": "lab"}), list[str]()

    with shared(engine, plan(a=None, b=PULL, c=PULL), said) as downloads:
        downloads.start(["b"])
        downloads.start(["c"])

    assert said == ["site office: a, b share downloads"]
    # start and stop, and a second start of the host that may have a new model store
    assert [len(host.scripts) for host in engine.hosts.values()] == [2, 3, 0]
    start = engine.hosts["b"].scripts[0]
    assert "neighbors='before 10.0.0.1 11439'" in start
    assert "hosts=10.0.0.1\n" in start  # it is not one of those that may connect
    assert "systemctl stop fleethands-relay.service" in engine.hosts["a"].scripts[1]


def test_a_run_that_downloads_nothing_starts_no_relay() -> None:
    engine = Engine({}, a=office(1), b=office(2))

    with shared(engine, plan(a=None, b=None)) as downloads:
        downloads.start(["a", "b"])

    assert engine.counted == []


@pytest.mark.parametrize(("at_once", "scripts"), [(False, 2), (True, 1)])
def test_relays_stay_only_if_the_run_is_aborted_within_an_operation(at_once: bool, scripts: int) -> None:
    engine = Engine({}, a=office(1), b=office(2))

    with shared(engine, plan(a=PULL, b=PULL)) as downloads:
        downloads.start(["a", "b"])
        engine.host_runs["a"] = HostRun("Pull")
        engine.host_runs["a"].interrupt([], at_once=at_once)

    assert [len(host.scripts) for host in engine.hosts.values()] == [scripts, scripts]


def test_a_run_that_breaks_off_leaves_its_relays() -> None:
    engine = Engine({}, a=office(1), b=office(2))

    with suppress(KeyboardInterrupt), shared(engine, plan(a=PULL, b=PULL)) as downloads:
        downloads.start(["a", "b"])
        raise KeyboardInterrupt

    assert [len(host.scripts) for host in engine.hosts.values()] == [1, 1]


def test_a_report_says_why_a_host_shared_nothing() -> None:
    engine = Engine({"b": ("error: the command perl is missing",)}, a=office(1), b=office(2), c=OFFICE)
    report = plan(a=PULL, b=PULL, c=PULL)

    with shared(engine, report) as downloads:
        downloads.start(["a", "b"])
        downloads.add_notes(report)

    assert report.hosts["a"].notes == []
    assert report.hosts["b"].notes == ["shared no downloads: the command perl is missing"]
    assert report.hosts["c"].notes == [f"shared no downloads: {NO_ADDRESS}"]
    assert "systemctl stop fleethands-relay.service" in engine.hosts["b"].scripts[-1]  # it may listen later


def test_the_token_is_on_standard_input_alone() -> None:
    engine = Engine({}, a=office(1), b=office(2))

    with shared(engine, plan(a=PULL, b=PULL)) as downloads:
        downloads.start(["a", "b"])

    tokens = {
        line for host in engine.hosts.values() for line in host.scripts[0].splitlines() if line.startswith("token=")
    }
    assert len(tokens) == 1
    assert len(tokens.pop()) == len("token=") + 48


def test_relays_start_again_before_a_batch_that_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(relays, "time", SimpleNamespace(monotonic=lambda: now))
    engine = Engine({}, a=office(1), b=office(2), c=office(3))

    with shared(engine, plan(a=PULL, b=PULL, c=PULL)) as downloads:
        started = []
        for after in (0.0, FRESH - 1, 2.0, 4 * 3600.0):
            now += after
            downloads.start([])
            started.append(len(engine.hosts["c"].scripts))

    assert started == [1, 1, 2, 3]
    assert FRESH < IDLE


def test_a_host_that_does_not_answer_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "FRESH", -1.0)
    engine, report = Engine({"b": ()}, a=office(1), b=office(2)), plan(a=PULL, b=PULL)

    with shared(engine, report) as downloads:
        for _ in range(3):
            downloads.start([])
        downloads.add_notes(report)

    assert [len(host.scripts) for host in engine.hosts.values()] == [4, 1]
    assert report.hosts["b"].notes == ["shared no downloads: the host does not answer"]


def test_hosts_with_the_same_address_do_not_share() -> None:
    engine = Engine({}, a=office(1), b=office(1), c=office(2))
    report = plan(a=PULL, b=PULL, c=PULL)

    with shared(engine, report) as downloads:
        downloads.start(["a", "b", "c"])
        downloads.add_notes(report)

    same = SAME_ADDRESS.format(other="b", address="10.0.0.1")
    assert report.hosts["a"].notes == [f"shared no downloads: {same}"]
    assert report.hosts["c"].notes == [f"shared no downloads: {ALONE}"]
    assert engine.counted == []


def test_what_a_host_says_at_the_start_is_one_short_line() -> None:
    lies = ("relay: listens\x1b]0;x\x07", "error: \x1b[2Jx" + "y" * 1000)
    engine, report = Engine({"b": lies}, a=office(1), b=office(2)), plan(a=PULL, b=PULL)

    with shared(engine, report) as downloads:
        downloads.start(["a", "b"])
        downloads.add_notes(report)

    (note,) = report.hosts["b"].notes
    assert len(note) < 400
    assert "\x1b" not in note
