"""A run leaves its report whatever ends it, and says beforehand where it can't."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleethands.fleet.shard import Shard
from fleethands.report.model import HostReport, Report
from tests.helpers.checkout import ROOT
from tests.helpers.command_line import fleethands
from tests.helpers.junit_rules import breaches

GONE = "gpu = [('gpu-1.invalid', {'models': ['m:1']}), ('gpu-2.invalid', {'models': ['m:1']})]\n"


@pytest.fixture
def inventory(tmp_path: Path) -> str:
    """Two hosts whose names do not resolve."""
    path = tmp_path / "fleet.py"
    path.write_text(GONE)
    return str(path)


def load_report(directory: Path) -> dict[str, Any]:
    """The document of a directory that has all three forms."""
    assert sorted(os.listdir(directory)) == ["junit.xml", "report.html", "report.json"]
    assert breaches((directory / "junit.xml").read_text()) == []
    document: dict[str, Any] = json.loads((directory / "report.json").read_text())
    return document


@pytest.mark.parametrize("words", [["plan"], ["status"], ["apply", "--yes"]])
def test_hosts_that_can_not_be_reached_are_in_every_form(tmp_path: Path, inventory: str, words: list[str]) -> None:
    places = ["--report", str(tmp_path / "r"), "--summary", str(tmp_path / "s.md")]

    done = fleethands(*words, inventory, "--json", *places)

    document = load_report(tmp_path / "r")
    assert done.returncode == 1
    assert document == json.loads(done.stdout)
    assert document["command"] == words[0]
    assert {host["status"] for host in document["hosts"].values()} == {"unreachable"}
    for host in document["hosts"].values():
        assert [(step["name"], step["ok"]) for step in host["steps"]] == [("Connect", False)]
        assert host["seconds"] == pytest.approx(host["steps"][0]["seconds"], abs=0.01)
    assert document["words"] == inventory
    assert "unknown host name" in (tmp_path / "s.md").read_text()


@pytest.mark.parametrize(
    ("option", "place", "why"),
    [
        ("--report", "file", "File exists"),
        ("--report", "file/deep", "Not a directory"),
        ("--report", "/proc/nowhere", "No such file or directory"),
        ("--report", "taken", "Is a directory"),
        ("--summary", "taken", "Is a directory"),
        ("--summary", "file/deep", "File exists"),
    ],
)
def test_a_place_that_can_not_be_written_is_told_before_any_host_is_asked(
    tmp_path: Path, inventory: str, option: str, place: str, why: str
) -> None:
    (tmp_path / "file").write_text("mine\n")
    (tmp_path / "taken/report.html").mkdir(parents=True)

    done = fleethands("apply", inventory, "--yes", option, str(tmp_path / place))

    error, _, hint = done.stderr.strip().partition("\n\n")
    assert error.startswith("error: cannot write `")
    assert error.endswith(f": {why}")
    assert hint == "hint: name another place, or make room there"
    assert (done.returncode, done.stdout) == (1, "")
    assert (tmp_path / "file").read_text() == "mine\n"


def test_a_disk_that_is_full_in_the_end_is_an_error_and_the_report_is_shown_all_the_same(inventory: str) -> None:
    done = fleethands("plan", inventory, "--summary", "/dev/full")

    assert done.returncode == 1
    assert "2 hosts, 2 unreachable" in done.stdout
    assert "error: cannot write `/dev/full`: No space left on device" in done.stderr


def test_wrong_settings_are_in_the_report_host_by_host(tmp_path: Path) -> None:
    path = tmp_path / "fleet.py"
    path.write_text(
        "gpu = [('a.invalid', {'ollama_hots': 1, 'models': ['m:1']}), ('b.invalid', {'models': ['m:1']})]\n"
    )

    done = fleethands("plan", str(path), "--report", str(tmp_path / "r"))

    document = load_report(tmp_path / "r")
    assert done.returncode == 1
    assert document["result"] == "failed"
    assert document["error"] == "1 mistake in the inventory, no host was contacted"
    assert [host["status"] for host in document["hosts"].values()] == ["refused", "not-run"]
    assert "`ollama_hots`: no such setting" in document["hosts"]["a.invalid"]["reason"]


def test_an_inventory_that_can_not_be_read_leaves_a_report_too(tmp_path: Path) -> None:
    path = tmp_path / "fleet.py"
    path.write_text("gpu = [(\n")

    fleethands("plan", str(path), "--report", str(tmp_path / "r"))

    document = load_report(tmp_path / "r")
    assert (document["result"], document["hosts"]) == ("failed", {})
    assert "SyntaxError" in document["error"]


def test_no_variable_of_the_command_line_is_in_a_report(tmp_path: Path, inventory: str) -> None:
    words = ["--data", 'openhands_env={"TOKEN": "it\'s hunter2"}', "--data", "models_prune=true", "--max-fail", "2"]
    places = ["--report", str(tmp_path / "r"), "--summary", str(tmp_path / "s.md")]

    fleethands("apply", inventory, "--yes", *words, *places)

    shown = "--data 'openhands_env=…' --data models_prune=true --max-fail 2"
    assert load_report(tmp_path / "r")["words"] == f"{inventory} {shown}"
    for path in (*(tmp_path / "r").iterdir(), tmp_path / "s.md"):
        assert "hunter2" not in path.read_text()


def test_a_part_without_hosts_is_no_failure(tmp_path: Path, inventory: str) -> None:
    done = fleethands("plan", inventory, "--hosts", "gpu-1*", "--shard", "1/5", "--report", str(tmp_path / "r"))
    other = fleethands("plan", inventory, "--hosts", "gpu-1*", "--shard", "1/5", "--json")

    assert done.returncode == other.returncode == 0
    assert done.stdout == "none of 1 hosts is of part 1/5: nothing to do\n"
    document = load_report(tmp_path / "r")
    assert (document["shard"], document["hosts"], document["result"]) == ("1/5", {}, "unchanged")
    assert json.loads(other.stdout)["shard"] == "1/5"


@pytest.mark.parametrize("shard", ["0/2", "3/2", "x", "1/"])
def test_wrong_words_for_a_part_exit_64(inventory: str, shard: str) -> None:
    done = fleethands("plan", inventory, "--shard", shard)

    assert done.returncode == 64
    assert done.stderr == f"error: `--shard` `{shard}`: expected I/N with I from 1 to N, such as `2/4`\n"


def test_hints_and_the_report_name_the_part(tmp_path: Path, inventory: str) -> None:
    shard = next(shard for shard in ("1/2", "2/2") if "gpu-1" in fleethands("plan", inventory, "--shard", shard).stdout)

    done = fleethands("plan", inventory, "--shard", shard, "--report", str(tmp_path / "r"))

    assert f"run: fleethands plan {inventory} --shard {shard}" in done.stdout
    assert load_report(tmp_path / "r")["shard"] == shard


def test_a_defect_of_our_own_leaves_a_report_too(tmp_path: Path, inventory: str) -> None:
    break_it = "import fleethands.cli.commands.plan as plan; plan.finish = lambda *_: 1 // 0"
    words = ["plan", inventory, "--report", str(tmp_path / "r")]
    line = [sys.executable, "-c", f"{break_it}; from fleethands.cli.main import main; main()", *words]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    document = load_report(tmp_path / "r")
    assert done.returncode == 1
    assert (document["result"], document["words"]) == ("failed", inventory)
    assert document["error"] == "ZeroDivisionError: integer division or modulo by zero"
    assert {host["status"] for host in document["hosts"].values()} == {"unreachable"}


def test_an_interrupted_run_leaves_its_report_and_its_document(tmp_path: Path) -> None:
    path = tmp_path / "slow.py"
    flag = tmp_path / "began"
    path.write_text(f"import pathlib, time\npathlib.Path({str(flag)!r}).touch()\ntime.sleep(60)\ngpu = ['a.invalid']\n")
    command = "from fleethands.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "plan", str(path), "--json", "--report", str(tmp_path / "r")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait = ["sh", "-c", f"until [ -e {flag} ]; do sleep 0.1; done"]
    subprocess.run(wait, timeout=60, check=True)
    process.send_signal(signal.SIGINT)
    shown, said = process.communicate(timeout=60)

    assert process.returncode == 130, said
    document = load_report(tmp_path / "r")
    assert (document["result"], document["error"]) == ("interrupted", "interrupted")
    assert json.loads(shown) == document


def test_a_value_that_was_typed_is_in_no_hint_of_a_report_or_a_terminal(tmp_path: Path, inventory: str) -> None:
    words = ["--data", 'ollama_env={"OLLAMA_REMOTES": "hunter2"}', "--data", "models_prune=true"]

    done = fleethands("plan", inventory, *words, "--report", str(tmp_path / "r"))

    assert load_report(tmp_path / "r")["result"] == "failed"
    assert "hunter2" not in (tmp_path / "r" / "report.json").read_text()
    assert "hunter2" not in done.stdout + done.stderr
    assert f"run: fleethands plan {inventory} --data 'ollama_env=…' --data models_prune=true" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["plan", "WRONG"], 1, "1 mistake in the inventory, no host was contacted"),
        (["status", "BROKEN"], 1, "SyntaxError"),
        (["pin", "WRONG"], 1, "1 mistake in the inventory, no host was contacted"),
        (["apply", "GONE"], 64, "cannot ask for confirmation with `--json`"),
        (["apply", "GONE", "--yes", "--canary", "gpu-3"], 64, "`--canary gpu-3`: expected a number of hosts, or the"),
        (["verify", "GONE", "--hosts", "x*"], 64, "has no host that matches `x*`"),
        (["plan", "GONE", "--shard", "3/2"], 64, "expected I/N with I from 1 to N"),
        (["trust", "GONE"], 64, "cannot ask whether the keys are right"),
        (["lock acquire", "GONE"], 64, "a lock needs a reason"),
        (["tunnel", "GONE"], 64, "a tunnel leads to one host"),
        (["plan", "GONE", "--hots", "x"], 64, "No such option"),
        (["apply", "GONE", "--lock-wait", "long"], 64, "is not a valid float range"),
    ],
)
def test_what_ends_a_run_is_a_document_too(tmp_path: Path, words: list[str], code: int, error: str) -> None:
    texts = {"GONE": GONE, "WRONG": GONE.replace("'models'", "'modles'", 1), "BROKEN": "gpu = [(\n"}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    command, target, *more = words

    done = fleethands(*command.split(), str(tmp_path / f"{target}.py"), *more, "--json")

    document = json.loads(done.stdout)
    assert done.returncode == code
    assert (document["schema"], document["command"], document["result"]) == (1, command, "failed")
    assert error in document["error"]
    assert document["error"] in done.stderr
    assert all(hint in done.stderr for hint in document["hints"])


def test_a_lock_that_can_not_be_read_is_a_document_too(tmp_path: Path, inventory: str) -> None:
    (tmp_path / "fleethands.lock").write_text("{")

    done = fleethands("plan", inventory, "--json", cwd=tmp_path)

    document = json.loads(done.stdout)
    assert (done.returncode, document["result"]) == (1, "failed")
    assert "fleethands.lock" in document["error"]
    assert document["hints"]


def test_a_canary_of_another_part_is_told_and_keeps_no_part_from_its_work(tmp_path: Path) -> None:
    names = [f"gpu-{number}.invalid" for number in range(1, 9)]
    (tmp_path / "fleet.py").write_text(f"gpu = [(name, {{'models': ['m:1']}}) for name in {names}]\n")
    here = [name for name in names if Shard(1, 2).contains(name)]
    there = next(name for name in names if name not in here)
    done = Report("apply", {there: HostReport("changed"), here[0]: HostReport("failed")})
    (tmp_path / "report.json").write_text(json.dumps(done.to_json()))
    words = ["apply", str(tmp_path / "fleet.py"), "--yes", "--json", "--canary"]

    part = fleethands(*words, there, "--shard", "1/2")
    rest = fleethands(*words, there, "--retry-failed", str(tmp_path))
    nobody = fleethands(*words, "gpu-x.invalid", "--shard", "1/2")

    said = f"canary {there} is not among the selected hosts; continuing without a canary\n"
    assert [(each.returncode, each.stderr) for each in (part, rest)] == [(1, said), (1, said)]
    assert list(json.loads(part.stdout)["hosts"]) == sorted(here)
    assert list(json.loads(rest.stdout)["hosts"]) == here[:1]
    assert nobody.returncode == 64
    assert "`--canary gpu-x.invalid`" in nobody.stderr
