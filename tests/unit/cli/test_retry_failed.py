"""`--retry-failed` takes up what a report leaves, and says what is wrong with one, and that it hides hosts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fleethands.cli.retry_failed import unfinished_hosts
from fleethands.command_line import CommandLine
from fleethands.errors import UsageError
from fleethands.report.formats import ReportFiles
from fleethands.report.model import HostReport, Report, Status
from fleethands.rollout.build_report import after_rollback
from tests.helpers.command_line import fleethands

DONE = HostReport("changed")
STATUSES: tuple[Status, ...] = (
    "changed",
    "unchanged",
    "failed",
    "rolled-back",
    "refused",
    "unreachable",
    "not-run",
    "pending",
)


def left_by(path: Path) -> frozenset[str]:
    line = CommandLine("apply", "prod.py", options=(("--retry-failed", str(path)),), yes=True)
    return unfinished_hosts(str(path), line)


def report(statuses: Sequence[Status], **more: Any) -> str:
    return json.dumps(Report("apply", {each: HostReport(each) for each in statuses}, **more).to_json())


def test_hosts_that_are_not_done_are_left(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(report(STATUSES))

    left = set(STATUSES) - {"changed", "unchanged"}
    assert left_by(tmp_path) == left_by(tmp_path / "report.json") == left


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1, "hosts": []}', '{"schema": 2}', "[" * 10**5, "\xff"])
def test_what_is_no_report_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text, encoding="latin-1")

    with pytest.raises(UsageError, match=r"is not JSON|is not a report|is not a valid report|no report has"):
        left_by(tmp_path)


def test_a_report_of_which_nothing_is_left_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(report(["changed"]))

    done = fleethands("apply", "inventory/local.py", "--yes", "--json", "--retry-failed", str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"] == "unchanged"
    assert done.stderr == f"every host of {tmp_path} is done: nothing to do\n"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"error": "fleet.py, line 1: KeyError: 'x'"}, "it lists no host: fleet.py, line 1: KeyError: 'x'"),
        ({"error": "interrupted", "interrupted": True}, "it lists no host: interrupted"),
        ({}, "it lists no host"),
        ({"shard": "1/2", "error": "it broke"}, "it lists no host: it broke"),
        ({"statuses": ["changed"], "error": "part 2/2 left no report"}, "all hosts: part 2/2 left no report"),
        (
            {"statuses": ["changed"], "error": "interrupted; part 2/2 left no report", "interrupted": True},
            "its run ended before it knew all hosts: interrupted; part 2/2 left no report",
        ),
    ],
)
def test_a_report_that_may_hide_hosts_is_refused(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    (tmp_path / "report.json").write_text(report(more.pop("statuses", []), **more))

    with pytest.raises(UsageError) as caught:
        left_by(tmp_path)
    assert str(caught.value).endswith(said)
    assert caught.value.hints[0].endswith("fleethands apply prod.py --yes")


def test_an_interrupted_run_and_an_empty_part_hide_none(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(report(["changed", "not-run"], error="interrupted", interrupted=True))
    (tmp_path / "empty.json").write_text(report([], shard="1/2"))

    assert left_by(tmp_path) == {"not-run"}
    assert left_by(tmp_path / "empty.json") == set()


FLEET = "gpu = [(f'gpu-{n}.invalid', {'models': ['m:1']}) for n in (1, 2)]\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with an inventory, one that can't be read, and the report of a run that left hosts."""
    (tmp_path / "fleet.py").write_text(FLEET)
    (tmp_path / "bad.py").write_text("raise KeyError('x')\n")
    ReportFiles(tmp_path / "out").write(Report("apply", {"gpu-1.invalid": HostReport("failed"), "gpu-2.invalid": DONE}))
    return tmp_path


def test_a_run_that_knew_no_host_leaves_nothing_to_be_done(place: Path) -> None:
    fleethands("apply", "bad.py", "--yes", "--report", "new", cwd=place)

    done = fleethands("apply", "fleet.py", "--yes", "--canary", "1", "--retry-failed", "new", cwd=place)

    assert (done.returncode, done.stdout) == (64, "")
    assert "error: `--retry-failed new`: it lists no host: bad.py, line 1: KeyError: 'x'\n" in done.stderr
    assert "hosts that are done stay as they are: fleethands apply fleet.py --canary 1 --yes\n" in done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["fleet.py", "--yes", "--batch", "0"], 64),
        (["fleet.py"], 64),
        (["fleet.py", "--yes", "--canary", "gpu-7"], 64),
        (["fleet.py", "--yes", "--hosts", "x*"], 64),
        (["bad.py", "--yes"], 1),
        (["fleet.py", "--yes", "--data", "model=m"], 1),
    ],
)
def test_a_run_that_did_nothing_leaves_the_report_that_it_takes_up(place: Path, words: list[str], code: int) -> None:
    before = {path.name: path.read_bytes() for path in (place / "out").iterdir()}

    more = ["--retry-failed", "out", "--report", "out", "--summary", "summary.md"]
    done = fleethands("apply", *words, *more, cwd=place)

    assert done.returncode == code, done.stderr
    assert "out/report.json stays as an earlier run left it\n" in done.stderr
    assert {path.name: path.read_bytes() for path in (place / "out").iterdir()} == before
    assert "**" in (place / "summary.md").read_text()
    assert left_by(place / "out") == {"gpu-1.invalid"}


def test_wrong_words_leave_the_report_of_any_earlier_run_and_another_end_does_not(place: Path) -> None:
    before = (place / "out/report.json").read_text()

    fleethands("apply", "fleet.py", "--report", "out", cwd=place)
    assert (place / "out/report.json").read_text() == before

    fleethands("apply", "bad.py", "--yes", "--report", "out", cwd=place)
    assert "KeyError" in (place / "out/report.json").read_text()


def test_a_run_that_takes_a_report_up_replaces_it(place: Path) -> None:
    done = fleethands("apply", "fleet.py", "--yes", "--retry-failed", "out", "--report", "out", cwd=place)

    assert done.returncode == 1
    assert list(json.loads((place / "out/report.json").read_text())["hosts"]) == ["gpu-1.invalid"]


def test_hosts_that_the_inventory_has_no_more_are_named(place: Path) -> None:
    left = {name: HostReport("failed") for name in ("gpu-1.invalid", "old-1", "old-2")}
    words = ["apply", "fleet.py", "--yes", "--retry-failed", "out"]

    ReportFiles(place / "out").write(Report("apply", left))
    some = fleethands(*words, cwd=place)
    del left["gpu-1.invalid"]
    ReportFiles(place / "out").write(Report("apply", left))
    none = fleethands(*words, cwd=place)

    assert some.stderr == "warning: fleet.py no longer has these hosts of the report: old-1, old-2\n"
    assert "1 host, 1 unreachable" in some.stdout
    assert (none.returncode, none.stdout) == (64, "")
    assert "error: `fleet.py` has none of the hosts that the report leaves: old-1, old-2\n" in none.stderr


def test_the_page_of_an_empty_retry_says_so(place: Path) -> None:
    ReportFiles(place / "out").write(Report("apply", {"gpu-1.invalid": DONE}))

    done = fleethands("apply", "fleet.py", "--yes", "--retry-failed", "out", "--report", "new", cwd=place)

    assert (done.returncode, done.stdout) == (0, "every host of out is done: nothing to do\n")
    assert "No host is left to do" in (place / "new/report.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--batch", "0"],
            "error: `--batch 0`: expected a number of hosts from 1 on, or a percentage\n\nhint: for three",
        ),
        (["--max-fail", "x"], "error: `--max-fail x`: expected a number of hosts from 0 on"),
        (["--order", "up"], "error: `--order up`: expected `sorted`, `random` or `random:SEED`"),
        (["--canary", "gpu-1"], "error: `--canary gpu-1`: expected a number of hosts, or the name of one of them"),
        (["--canary", "0"], "error: `--canary 0`: expected a number of hosts from 1 on, or the name of one of them"),
        (["--host-timeout", "soon"], "error: `--host-timeout soon`: expected a duration\n\nhint: for twenty minutes"),
        (
            ["--retry-failed", "/nowhere"],
            "error: `--retry-failed /nowhere`: No such file or directory\n\nhint: reports",
        ),
    ],
)
def test_a_wrong_word_exits_64_before_any_host_is_contacted(words: list[str], said: str) -> None:
    done = fleethands("apply", "inventory/local.py", "--yes", *words)

    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith(said), done.stderr


FAILED = HostReport("failed", "Proof | Get an answer: no", ["look"], remote_commands=7)


def test_a_host_that_went_back_keeps_the_reason_of_its_failure() -> None:
    host = after_rollback(FAILED, HostReport("changed", remote_commands=12))
    assert (host.status, host.reason, host.remote_commands) == ("rolled-back", FAILED.reason, 12)
    assert after_rollback(FAILED, HostReport("unchanged")).status == "rolled-back"


def test_a_host_without_a_record_stays_failed_and_says_so() -> None:
    host = after_rollback(FAILED, HostReport("refused", "there is no record to go back to"))
    assert (host.status, host.reason) == ("failed", FAILED.reason)
    assert host.notes == ["not rolled back: there is no record to go back to"]


def test_a_host_that_did_not_get_back_has_both_reasons() -> None:
    host = after_rollback(FAILED, HostReport("failed", "Ollama: no start", ["see its log"]))
    assert host.status == "failed"
    assert host.reason == f"{FAILED.reason}; and the rollback failed: Ollama: no start"
    assert host.hints == ["look", "see its log"]
