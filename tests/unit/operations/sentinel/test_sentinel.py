"""The sentinel as a decision: its files, its removal, and what a plan makes of its result."""

from __future__ import annotations

import calendar
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.probe_request import FIXED_FILES, ProbeRequest
from fleethands.facts.sentinel import SentinelResult
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.proof import proof
from fleethands.operations.sentinel import sentinel
from fleethands.report.host_summary import COLUMNS, status_cells
from fleethands.report.model import HostReport
from fleethands.settings import HostSettings, Secret
from fleethands.tasks.sentinel import render_secrets
from tests.hosts import bare, declared

TEXTS = {"host": "gpu-1", "unit": "unit", "timer": "timer", "secrets": 'SENTINEL_KEY="hunter2"\n'}
NOON = calendar.timegm(time.strptime("2026-11-25T12:00:00Z", "%Y-%m-%dT%H:%M:%SZ"))
PROVEN = File("file", "0644", owner="root:root", content=b"list\tok\t1\tcodellama:7b is there\t\n", mtime=NOON)


def state(result: str, at: str, link: str = "") -> File:
    lines = ("1", result, f"2026-11-25T{at}Z", "2026-11-24T03:31:00Z", link, "a reason", "a hint", "1", "")
    return File("file", "0600", content="\n".join(lines).encode())


def decide(settings: HostSettings, seen: Probe, **more: Any) -> Any:
    return sentinel.watch.decide(settings, seen, **{**TEXTS, **more})


def test_it_is_written_once() -> None:
    settings = declared(sentinel=True)
    change = decide(settings, bare(settings))

    assert isinstance(change, Change)
    assert change.keeps_proof
    assert change.diff == ""
    seen = change.predict(bare(settings))
    assert isinstance(decide(settings, seen), Unchanged)


@pytest.mark.parametrize(
    ("path", "file", "words"),
    [
        (paths.SENTINEL_PROOF, ABSENT, "differs: proof.sh"),
        (paths.SENTINEL_PROOF, File("link", target="proof-00.sh"), "differs: proof.sh"),
        (paths.SENTINEL_SECRETS, File("file", "0644", owner="root:root", content=b"x"), "differs: webhook.env"),
        (paths.SENTINEL_SCRIPT, File("file", "0600", owner="root:root", content=None), "differs: sentinel.sh"),
        (paths.SENTINEL_TIMER_UNIT, ABSENT, "none"),
    ],
)
def test_a_difference_is_repaired(path: str, file: File, words: str) -> None:
    settings = declared(sentinel=True)
    seen = decide(settings, bare(settings)).predict(bare(settings)).with_file(path, file)

    change = decide(settings, seen)

    assert change.before == words
    assert "hunter2" not in f"{change.before}{change.after}{change.diff}"


def test_a_timer_that_does_not_run_is_started() -> None:
    settings = declared(sentinel=True)
    seen = decide(settings, bare(settings)).predict(bare(settings))
    for wrong in ({"active": "inactive"}, {"enabled": "disabled"}):
        timer = replace(seen.units[paths.SENTINEL_TIMER], **wrong)
        assert decide(settings, seen.replace(units={paths.SENTINEL_TIMER: timer})).before == "its timer does not run"


def test_the_proof_follows_from_the_settings_alone() -> None:
    settings = declared(sentinel=True)
    target = decide(settings, bare(settings)).script.values["proof_path"]
    other = declared(sentinel=True, models=["tiny"])

    assert decide(settings, bare(settings).with_file(paths.PROOF, PROVEN)).script.values["proof_path"] == target
    assert decide(other, bare(other)).script.values["proof_path"] != target


@pytest.mark.parametrize(
    "data", [{}, {"openhands_flavor": "off"}, {"openhands_flavor": "canvas"}, {"openhands_flavor": "source"}]
)
def test_the_stored_scripts_are_programs(data: dict[str, Any], tmp_path: Path) -> None:
    settings = declared(sentinel=True, **data)
    values = decide(settings, bare(settings)).script.values

    for name in ("proof", "watcher"):
        (tmp_path / name).write_text(values[name])
        subprocess.run(["sh", "-n", tmp_path / name], check=True)
    assert "record=/var/lib/fleethands/sentinel/proof\n" in values["proof"]
    assert "\nkeeps_proof=yes\n" in values["proof"]
    assert "\nentry=''\n" in values["proof"]


def test_it_is_removed_and_costs_two_paths_until_it_is_declared() -> None:
    settings, watched = declared(), declared(sentinel=True)
    seen = bare(settings)
    assert isinstance(sentinel.remove.decide(settings, seen), Unchanged)
    asked, more = ProbeRequest.create(settings), ProbeRequest.create(watched)
    assert {path for path in asked.files if "sentinel" in path} == {paths.SENTINEL, paths.SENTINEL_TIMER_UNIT}
    assert len(more.files) == len(asked.files) + 5
    assert set(asked.files) >= set(FIXED_FILES)
    there = decide(watched, bare(watched)).predict(bare(watched))

    change = sentinel.remove.decide(settings, there)

    assert isinstance(change, Change)
    assert isinstance(sentinel.remove.decide(settings, change.predict(there)), Unchanged)


def test_the_secrets_are_in_one_file_with_the_proxy_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", 'a "key" of $16 \\characters')
    settings = declared(
        sentinel=True, sentinel_webhook="https://a.example/x?y", sentinel_key=Secret.env("KEY"),
        ollama_env={"HTTPS_PROXY": "http://proxy:3128", "OLLAMA_DEBUG": "1"},
    )  # fmt: skip

    assert render_secrets(settings).splitlines()[1:] == [
        'SENTINEL_WEBHOOK="https://a.example/x?y"',
        'SENTINEL_KEY="a \\"key\\" of \\$16 \\\\characters"',
        'HTTPS_PROXY="http://proxy:3128"',
    ]
    assert render_secrets(declared(sentinel=True)) == ""


@pytest.mark.parametrize(
    ("found", "before"),
    [
        (state("broken", "12:00:01", "docker"), "broken later"),
        (state("broken", "11:59:59", "docker"), None),  # an apply has proven the host since
        (state("ok", "12:00:01"), None),
        (File("file", content=b"1\nbroken"), None),
        (ABSENT, None),
    ],
)
def test_a_break_since_the_last_proof_is_no_secret_of_the_host(found: File, before: str | None) -> None:
    settings = declared(sentinel=True, openhands_flavor="off")
    seen = bare(settings).with_file(paths.PROOF, PROVEN).with_file(paths.SENTINEL_STATE, found)

    decision = proof.prove.decide(settings, seen, recorded=settings)

    if before is None:
        assert isinstance(decision, Unchanged)
    else:
        assert isinstance(decision, Change)
        assert (decision.before, decision.why) == (before, "the sentinel found a broken link since")


@pytest.mark.parametrize(
    "text",
    [
        b"", b"1\n", b"2\nok\n2026-11-25T12:00:00Z\n2026-11-25T12:00:00Z\n\n\n\n0\n",
        b"1\nfine\n2026-11-25T12:00:00Z\n2026-11-25T12:00:00Z\n\n\n\n0\n",
        b"1\nok\n2026-13-25T12:00:00Z\n2026-11-25T12:00:00Z\n\n\n\n0\n",
        b"1\nok\n2026-11-25T12:00:00Z\n\x1b[2J\n\n\n\n0\n",
        b"1\nok\n2026-11-25T12:00:00Z\n2026-11-25T12:00:00Z\ndocker\n\n\n0\n",
        b"1\nbroken\n2026-11-25T12:00:00Z\n2026-11-25T12:00:00Z\n\n\n\n0\n",
        b"1\nok\n2026-11-25T12:00:00Z\n2026-11-25T12:00:00Z\n\n\n\n0\n" + b"x" * (1 << 14),
    ],
)  # fmt: skip
def test_a_result_that_is_none_is_unknown(text: bytes) -> None:
    assert SentinelResult.parse(text) is None


def test_a_host_s_words_are_one_short_line_each() -> None:
    text = (
        b"1\nbroken\n2026-11-25T12:00:00Z\n2026-11-24T03:31:00Z\ndocker\x1b[2J\nno\x9b\r"
        + b"x" * 5000
        + b"\nhint\x00\n1\n"
    )

    found = SentinelResult.parse(text)

    assert found is not None
    assert found.link == "docker"
    assert len(found.reason) == 1000
    assert not any(ord(char) < 32 for char in found.reason + found.hint)


@pytest.mark.parametrize(
    ("found", "cell"),
    [
        (state("ok", "12:00:01"), "ok at 2026-11-25 12:00 UTC"),
        (state("broken", "12:00:01", "docker"), "broken since 2026-11-24 03:31 UTC: docker"),
        (state("broken", "11:00:00", "docker"), "broken since 2026-11-24 03:31 UTC: docker; proven since"),
        (ABSENT, "no result yet"),
    ],
)
def test_a_status_shows_it(found: File, cell: str) -> None:
    settings = declared(sentinel=True)
    seen = decide(settings, bare(settings)).predict(bare(settings)).with_file(paths.PROOF, PROVEN)
    host = HostReport("unchanged", probe=seen.with_file(paths.SENTINEL_STATE, found))

    assert dict(zip(COLUMNS, status_cells("gpu-1", host), strict=True))["sentinel"] == cell
    assert (
        dict(zip(COLUMNS, status_cells("gpu-1", HostReport("unchanged", probe=bare())), strict=True))["sentinel"]
        == "off"
    )
