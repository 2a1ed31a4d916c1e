"""What collects metrics is installed, kept up to date, and removed with all that it left."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core.decision import Change, Refused, Unchanged
from fleethands.operations.metrics import declared as compared
from fleethands.operations.metrics import metrics, programs
from fleethands.settings import HostSettings
from fleethands.tasks.metrics import render_unit
from tests.hosts import bare, declared

TEXTS = {"unit": "unit", "timer": "timer"}
TEXTFILE = "/var/lib/prometheus/node-exporter"


def host(settings: HostSettings, **files: File) -> Probe:
    """A bare host, with these files in it."""
    probe = bare(settings)
    for path, file in files.items():
        probe = probe.with_file(path, file)
    return probe


def text_file(content: str, mode: str = "0644") -> File:
    return File("file", mode, 0, 0, owner="root:root", content=content.encode())


def installed(settings: HostSettings) -> Probe:
    """The host as it is after the change."""
    probe = host(settings)
    change = metrics.collect.decide(settings, probe, **TEXTS)
    assert isinstance(change, Change)
    return change.predict(probe)


def test_it_is_installed_once_and_keeps_the_proof() -> None:
    settings = declared(metrics=True)
    change = metrics.collect.decide(settings, host(settings), **TEXTS)

    assert isinstance(change, Change)
    assert (change.before, change.after, change.keeps_proof) == ("none", "collected every 30 s", True)
    assert isinstance(metrics.collect.decide(settings, installed(settings), **TEXTS), Unchanged)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"ollama_version": "0.24.1"}, "declared changed"),
        ({"models": ["codellama:13b"]}, "declared changed"),
        ({"metrics_textfile": TEXTFILE}, "textfile changed"),
    ],
)
def test_a_changed_setting_is_written_down(changed: dict[str, Any], why: str) -> None:
    before, after = declared(metrics=True), declared(metrics=True, **changed)
    probe = installed(before).with_file(TEXTFILE, File("directory", "0755", 0, 0, owner="root:root"))

    change = metrics.collect.decide(after, probe, **TEXTS)

    assert isinstance(change, Change)
    assert change.why == why


def test_a_file_that_an_apply_changes_is_compared_anew() -> None:
    settings = declared(metrics=True)
    probe = installed(settings).with_file(paths.OLLAMA_OVERRIDE, text_file("new"))

    change = metrics.collect.decide(settings, probe, **TEXTS)

    assert isinstance(change, Change)
    assert change.why == "sums changed"
    digest = hashlib.sha256(b"new").hexdigest()
    assert compared.watched_sums(probe) == f"{digest}  {paths.OLLAMA_OVERRIDE}\n"
    assert isinstance(metrics.collect.decide(settings, change.predict(probe), **TEXTS), Unchanged)


def test_private_files_have_no_public_digest() -> None:
    settings = declared(metrics=True)

    assert compared.watched_sums(host(settings, **{paths.OLLAMA_OVERRIDE: text_file("secret", "0600")})) == ""


def test_a_stopped_timer_is_started() -> None:
    settings = declared(metrics=True)
    probe = installed(settings)
    stopped = probe.replace(units={})
    unlinked = probe.with_file(paths.METRICS_ENABLED, File("absent"))

    for each, why in ((stopped, "its timer does not run"), (unlinked, "its timer does not start at boot")):
        change = metrics.collect.decide(settings, each, **TEXTS)
        assert isinstance(change, Change)
        assert change.why == why


@pytest.mark.parametrize(
    ("directory", "words"),
    [
        (File("absent"), "there is no directory"),
        (File("file", "0644", 0, 0, owner="root:root"), "there is no directory"),
        (
            File("directory", "0755", 110, 110, owner="prometheus:prometheus"),
            "belongs to prometheus:prometheus, with mode 0755",
        ),
        (File("directory", "0775", 0, 0, owner="root:root"), "with mode 0775, and root writes there"),
    ],
)
def test_a_directory_that_is_not_roots_is_refused(directory: File, words: str) -> None:
    settings = declared(metrics=True, metrics_textfile=TEXTFILE)

    refused = metrics.collect.decide(settings, host(settings, **{TEXTFILE: directory}), **TEXTS)

    assert isinstance(refused, Refused)
    assert words in refused.reason
    assert "or leave out `metrics_textfile`" in refused.hints[0]


def test_without_the_setting_a_host_has_one_path_more_to_look_at() -> None:
    off, on = declared(), declared(metrics=True)
    probe = host(off)

    assert isinstance(metrics.remove.decide(off, probe), Unchanged)
    assert [path for path in probe.files if "metrics" in path] == [paths.METRICS]
    assert len([path for path in host(on).files if "metrics" in path]) == len(metrics.FILES) + 1


def test_what_is_not_declared_any_more_is_removed() -> None:
    settings = declared()
    probe = host(settings, **{paths.METRICS: File("directory", "0755", owner="root:root")})

    change = metrics.remove.decide(settings, probe)

    assert isinstance(change, Change)
    assert isinstance(metrics.remove.decide(settings, change.predict(probe)), Unchanged)


def test_the_file_that_the_collector_reads() -> None:
    digest = "a" * 64
    settings = declared(
        metrics=True, gpu=True, ollama_version="0.24.0", models=["codellama:7b", {"name": "b", "digest": digest}]
    )

    rows = compared.declared_text(settings, host(settings)).splitlines()

    assert "ollama_version 0.24.0" in rows
    assert "models_dir /usr/share/ollama/.ollama/models" in rows
    assert [row for row in rows if row.startswith("model ")] == ["model codellama:7b", f"model b:latest {digest}"]
    assert "gpu yes" in rows
    external = declared(metrics=True, ollama_runtime="external", ollama_address="http://10.0.0.5:11434")
    rows = compared.declared_text(external, host(external)).splitlines()
    assert "ollama_url http://10.0.0.5:11434" in rows
    assert not [row for row in rows if row.startswith(("ollama_version", "models_dir", "ollama_port"))]


def test_only_a_gateways_log_needs_the_journal() -> None:
    assert "SupplementaryGroups" not in render_unit(declared(metrics=True))


def test_programs_on_hosts_have_no_comments() -> None:
    for program in (programs.collect(), programs.publish()):
        first, *rest = program.splitlines()
        assert first == "# Written by fleethands."
        assert not [line for line in rest if line.startswith("#") or line != line.strip()]
        assert len(program) < 64 << 10, "a probe reads no more of a file"
