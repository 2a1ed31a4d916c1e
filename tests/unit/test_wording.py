"""What the command line prints of a plan and of a run, as snapshots (pytest --snapshot-update)."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from fleethands import paths
from fleethands.cli.output.report_table import lines
from fleethands.command_line import CommandLine
from fleethands.facts.files import File
from fleethands.operations.core.proof_record import Link
from fleethands.operations.system import system
from fleethands.report.model import ChangeReport, HostReport, Report
from fleethands.settings import Secret
from fleethands.tasks import ollama as ollama_task
from tests.hosts import bare, declared


def said(report: Report) -> str:
    return "\n".join(lines(report, CommandLine(report.command, "inventory/fleet.py")))


def test_hosts_that_can_not_go_on_are_in_the_plan(snapshot: SnapshotAssertion) -> None:
    refused = HostReport("refused", "port 11434 is held by `sshd`", ["see it on the host: ss -ltnp 'sport = :11434'"])
    away = HostReport(
        "unreachable", "no answer from 10.0.0.9", ["is it up, and its SSH port open to you? `ssh -v 10.0.0.9`"]
    )
    pending = HostReport(
        "pending", changes=[ChangeReport("Models", "Pull what is missing", "model m:1", "missing", "present")]
    )
    hosts = {"a": HostReport("unchanged"), "b": refused, "c": away, "d": pending, "e": HostReport("unchanged")}

    assert said(Report("plan", hosts)) == snapshot


def test_nothing_to_do(snapshot: SnapshotAssertion) -> None:
    assert said(Report("plan", {"gpu-1": HostReport("unchanged")})) == snapshot


def test_a_run_of_which_one_host_failed(snapshot: SnapshotAssertion) -> None:
    changes = [ChangeReport("Ollama", "Serve this revision", "ollama.service", "it does not run", "revision 12ab")]
    done = HostReport("changed", changes=changes, notes=["Ollama | Serve this revision: served again after 840 ms"])
    done.proof = [Link("list", True, 0.1, "m:1 is there")]
    failed = HostReport("failed", "Models | Pull what is missing: the registry has no model m:1", changes=changes)
    failed.hints, failed.log = ["look for its right name: https://ollama.com/search"], ["curl: (22) 404"]

    assert said(Report("apply", {"gpu-1": done, "gpu-2": failed})) == snapshot


def test_a_secret_is_masked_in_a_diff(monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setenv("PROXY", 'http://u:hunter2@proxy\nhunter3"hunter4')
    settings = declared(ollama_env={"HTTPS_PROXY": Secret.env("PROXY"), "OLLAMA_NUM_PARALLEL": 2})
    override, secrets = ollama_task.render_variables(settings, "12ab")
    seen = bare(settings).with_file(paths.OLLAMA_OVERRIDE, File("file", "0600", content=BEFORE))
    written = {paths.OLLAMA_OVERRIDE: override, paths.OLLAMA_SECRETS: secrets}
    modes = {paths.OLLAMA_OVERRIDE: "0644", paths.OLLAMA_SECRETS: "0600"}
    said = [
        system.write_file.decide(
            settings, seen, path, text, modes[path], shown=ollama_task.shown_variables(settings)
        ).diff
        for path, text in written.items()
    ]

    assert "hunter" not in "".join(said)
    assert said == snapshot


BEFORE = b'# Written\n[Service]\nEnvironment="HTTPS_PROXY=hunter5"\nEnvironment="OLLAMA_NUM_PARALLEL=1"\nhunter6\n'
