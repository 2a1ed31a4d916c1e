"""`--retry-failed` takes up what a report leaves, and says what is wrong with one; wrong words of a rollout exit 64."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from fleethands.cli.left import left_by
from fleethands.cli.trouble import Trouble
from fleethands.rollout.report import HostReport, Report
from fleethands.rollout.reporting import went_back
from tests.unit.test_cli import fleethands

STATUSES = ("changed", "unchanged", "failed", "rolled-back", "refused", "unreachable", "not-run", "pending")


def report(statuses: Sequence[str]) -> str:
    return json.dumps(Report("apply", {each: HostReport(each) for each in statuses}).document())


def test_hosts_that_are_not_done_are_left(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(report(STATUSES))

    assert left_by(str(tmp_path)) == left_by(str(tmp_path / "report.json")) == set(STATUSES) - {"changed", "unchanged"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1, "hosts": []}', '{"schema": 2}', "[" * 10**5, "\xff"])
def test_what_is_no_report_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text, encoding="latin-1")

    with pytest.raises(Trouble, match=r"is not JSON|is not a report|lacks something") as caught:
        left_by(str(tmp_path))
    assert caught.value.code == 64


def test_a_report_of_which_nothing_is_left_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(report(["changed"]))

    done = fleethands("apply", "inventory/local.py", "--yes", "--json", "--retry-failed", str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"] == "unchanged"
    assert "every host of it is done" in done.stderr


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
    host = went_back(FAILED, HostReport("changed", remote_commands=12))
    assert (host.status, host.reason, host.remote_commands) == ("rolled-back", FAILED.reason, 12)
    assert went_back(FAILED, HostReport("unchanged")).status == "rolled-back"


def test_a_host_without_a_record_stays_failed_and_says_so() -> None:
    host = went_back(FAILED, HostReport("refused", "there is no record to go back to"))
    assert (host.status, host.reason) == ("failed", FAILED.reason)
    assert host.notes == ["not rolled back: there is no record to go back to"]


def test_a_host_that_did_not_get_back_has_both_reasons() -> None:
    host = went_back(FAILED, HostReport("failed", "Ollama: no start", ["see its log"]))
    assert host.status == "failed"
    assert host.reason == f"{FAILED.reason}; and it did not go back: Ollama: no start"
    assert host.hints == ["look", "see its log"]
