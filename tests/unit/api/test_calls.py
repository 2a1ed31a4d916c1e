"""Calls of the Python API with real worker processes. The hosts that they connect to are on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from fleethands import (
    Event,
    Fleet,
    FleethandsError,
    PhaseEvent,
    Report,
    SettingsError,
    UsageError,
    WarningEvent,
    WorkerDied,
)
from fleethands.api.call import Call
from fleethands.text.format import format_size
from tests.helpers.api_workers import find_workers, wait_until_ended
from tests.helpers.bundles import write
from tests.helpers.checkout import ROOT
from tests.helpers.silent_server import SilentServer, silent_server

NOBODY = "root@127.0.0.1:1"  # no server listens there
DATA = {"models": ["codellama:7b"]}
SCRIPT = """
import sys
from fleethands import Fleet, Interrupted

try:
    Fleet([sys.argv[1]], data={"models": ["codellama:7b"]}).plan()
except Interrupted as end:
    print(end.report.result, {name: host.status for name, host in end.report.hosts.items()})
    raise
"""


@pytest.fixture
def server() -> Iterator[SilentServer]:
    with silent_server() as server:
        yield server


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begin(function: object) -> Future[Report]:
    pool = ThreadPoolExecutor(1)
    future: Future[Report] = pool.submit(function)  # type: ignore[arg-type]
    pool.shutdown(wait=False)
    return future


def test_an_unreachable_host_is_a_status() -> None:
    report = Fleet({NOBODY: DATA}).plan()

    assert (report.command, report.result) == ("plan", "failed")
    assert report.hosts[NOBODY].status == "unreachable"
    assert report.failed_hosts == report.hosts
    assert report.hosts[NOBODY].hints == ["is it up? `ssh -v -p 1 root@127.0.0.1`"]


def test_two_fleets_are_planned_in_two_threads() -> None:
    fleets = [Fleet({f"root@127.0.0.1:{port}": DATA}) for port in (1, 2)]

    reports = [future.result() for future in [begin(fleet.plan) for fleet in fleets]]

    assert [list(report.hosts) for report in reports] == [["root@127.0.0.1:1"], ["root@127.0.0.1:2"]]


def test_settings_have_every_value_and_contact_no_host() -> None:
    settings = Fleet(["gpu-1", "gpu-2"], data={**DATA, "gpu": True}).settings()

    assert {name: (str(each.model), each.gpu) for name, each in settings.items()} == {
        "gpu-1": ("codellama:7b", True),
        "gpu-2": ("codellama:7b", True),
    }


def test_all_mistakes_are_one_exception() -> None:
    fleet = Fleet({"gpu-1": {**DATA, "model": "x"}, "gpu-2": {**DATA, "openhands_port": 70000}})

    with pytest.raises(SettingsError) as caught:
        fleet.apply()

    assert {(each.host, each.path) for each in caught.value.mistakes} == {
        ("gpu-1", "model"),
        ("gpu-2", "openhands_port"),
    }
    assert isinstance(caught.value, FleethandsError)


def test_a_broken_inventory_is_an_exception_and_what_it_prints_stays_away(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "prod.py").write_text("import sys\nprint('out')\nprint('err', file=sys.stderr)\nhosts = 1 / 0\n")

    with pytest.raises(FleethandsError, match=r"prod\.py, line 4: ZeroDivisionError") as caught:
        Fleet.load("prod.py").plan()

    assert caught.value.hints == ("fix `prod.py`, then run the command again",)
    assert capfd.readouterr() == ("", "")


def test_groups_and_patterns_select_hosts(here: Path) -> None:
    fleet = Fleet(["a-1", "a-2", "b-1"], groups={"gpu": ["a-2", "b-1"]}, data=DATA)

    assert list(fleet.select("gpu", exclude="b-*").settings()) == ["a-2"]
    assert list(fleet.select(["a-1", "b-1"]).settings()) == ["a-1", "b-1"]
    with pytest.raises(UsageError, match="`this fleet` has no host that matches `c`"):
        fleet.select("c").plan()


def test_an_empty_shard_is_a_report_without_hosts() -> None:
    fleets = [Fleet.load(NOBODY, shard=f"{part}/2", data=DATA) for part in (1, 2)]

    assert sorted(len(fleet.plan().hosts) for fleet in fleets) == [0, 1]


def test_an_inventory_is_read_as_on_the_command_line(here: Path) -> None:
    (here / "own.py").write_text("MODELS = ['codellama:7b']\n")
    (here / "group_data").mkdir()
    (here / "group_data/gpus.py").write_text("gpu = True\n")
    (here / "prod.py").write_text(f"gpu = ['{NOBODY}']\n")
    events: list[Event] = []

    report = Fleet.load("prod.py", data=DATA).plan(on_event=events.append)

    assert report.words == """prod.py --data 'models=["codellama:7b"]'"""
    assert events == [
        WarningEvent("group_data/gpus.py: no host is in a group `gpus`, nearest is `gpu`"),
    ]


def test_an_exception_of_the_caller_stops_the_run(here: Path, server: SilentServer) -> None:
    (here / "group_data").mkdir()
    (here / "group_data/gpus.py").write_text("")
    (here / "prod.py").write_text(f"gpu = ['{server.host}']\n")

    def refuse(_event: Event) -> None:
        raise LookupError("not now")

    with pytest.raises(LookupError, match="not now"):
        Fleet.load("prod.py", data=DATA).plan(on_event=refuse)
    assert find_workers(os.getpid()) == []


def test_another_thread_stops_a_run(server: SilentServer) -> None:
    fleet = Fleet([server.host], data=DATA)
    plan = begin(fleet.plan)
    with server.wait_for_client():
        fleet.stop()
        report = plan.result(timeout=60)

    assert report.result == "interrupted"
    assert report.hosts[server.host].status == "not-run"


def test_a_killed_worker_is_an_exception(server: SilentServer) -> None:
    plan = begin(Fleet([server.host], data=DATA).plan)
    with server.wait_for_client():
        (worker,) = find_workers(os.getpid())
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(WorkerDied, match="killed by SIGKILL") as caught:
            plan.result(timeout=60)

    assert caught.value.hints == ("run it again: what was begun on a host is completed then",)


def test_the_output_of_a_worker_that_fails_is_in_the_exception(here: Path) -> None:
    (here / "prod.py").write_text(
        "import os\nprint('x' * 10**6)\nprint('the\\x1b[31mlast line', flush=True)\nos._exit(7)\n"
    )

    with pytest.raises(WorkerDied, match="exit code 7") as caught:
        Fleet.load("prod.py").plan()

    assert caught.value.output.endswith("last line")
    assert "\x1b" not in caught.value.output
    assert len(caught.value.output) < 1 << 15


def test_host_data_that_no_process_can_receive_is_an_error() -> None:
    with pytest.raises(FleethandsError, match="host data cannot be sent to the worker process"):
        Fleet({"gpu-1": {**DATA, "function": lambda: None}}).settings()


def script(server: SilentServer) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, server.host],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_worker_gets_its_request_when_its_caller_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    monkeypatch.setattr(Call, "_send", lambda _call, request: sent.append(request))
    call = Call(b"request")
    before = list(sent)
    call.interrupt()
    call.interrupt()  # it has not begun, so it is killed

    with pytest.raises(WorkerDied, match="killed by SIGKILL"):
        call.answer()
    assert (before, sent) == ([], [b"request"])


def test_ctrl_c_gives_a_report(server: SilentServer) -> None:
    with script(server) as process, server.wait_for_client():
        (worker,) = find_workers(process.pid)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
        out, err = process.communicate(timeout=60)

        assert out == f"interrupted {{'{server.host}': 'not-run'}}\n"
        assert "Interrupted: interrupted" in err
        assert process.returncode == 1
        assert wait_until_ended(worker)


def test_a_worker_ends_with_its_caller(server: SilentServer) -> None:
    with script(server) as process, server.wait_for_client():
        (worker,) = find_workers(process.pid)
        process.kill()
        begun = time.monotonic()

        assert wait_until_ended(worker)
        assert time.monotonic() - begun < 9  # before the connection's own timeout of 10 s


def test_many_calls_leave_nothing_behind() -> None:
    fleet = Fleet(["gpu-1"], data=DATA)
    fleet.settings()
    before = sorted(os.listdir("/proc/self/fd"))
    fleet.settings()

    assert sorted(os.listdir("/proc/self/fd")) == before
    assert find_workers(os.getpid()) == []
    assert [each for each in threading.enumerate() if each.name == "fleethands"] == []


def test_a_bundle_is_checked_before_a_host_is_contacted(here: Path) -> None:
    path = write(here / "fleet.bundle").path
    size, fleet = path.stat().st_size, Fleet({NOBODY: DATA})
    events: list[Event] = []
    assert fleet.plan(bundle=path).hosts[NOBODY].status == "unreachable"
    assert fleet.apply(bundle=["fleet.bundle"], on_event=events.append).hosts[NOBODY].status == "unreachable"
    assert next(each.text for each in events if isinstance(each, PhaseEvent)) == f"check {path}, {format_size(size)}"

    path.write_bytes(path.read_bytes().replace(b"weights", b"Weights", 1))

    with pytest.raises(FleethandsError, match=r"fleet\.bundle is damaged: sha256:"):
        fleet.apply(bundle=path)
    with pytest.raises(FleethandsError, match=r"cannot read .*/absent\.bundle: No such file"):
        fleet.plan(bundle="absent.bundle")
    with pytest.raises(UsageError, match="`upstream=True` asks the registries"):
        fleet.plan(bundle=path, upstream=True)


def test_a_bundle_pins_what_a_fleet_does_not_pin(here: Path) -> None:
    """The same settings as with `--bundle`: hints of the report repeat it."""
    path = write(here / "fleet.bundle").path

    report = Fleet.load(NOBODY, data=DATA).apply(bundle=path)

    assert f"--bundle {path}" in report.words
