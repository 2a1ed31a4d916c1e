"""Which release record a rollback restores, and why it restores none."""

from __future__ import annotations

import pytest

from fleethands import paths
from fleethands.operations.core import provenance
from fleethands.operations.core.decision import Refused
from fleethands.operations.rollback import rollback
from fleethands.settings import HostSettings, Secret
from tests.helpers.release_records import BROKEN, CURRENT, PREVIOUS, PROVEN, RECORDS, probe_with_files, render_record
from tests.hosts import declared


@pytest.mark.parametrize(
    ("proof", "wanted", "settings"),
    [
        (PROVEN, None, PREVIOUS),
        (BROKEN, None, CURRENT),
        ({}, None, CURRENT),
        (PROVEN, "current", CURRENT),
        (BROKEN, "previous", PREVIOUS),
    ],
)
def test_it_follows_from_what_is_proven(proof: dict[str, str], wanted: str | None, settings: HostSettings) -> None:
    way = rollback.find_target(declared(), probe_with_files(**RECORDS, **proof), wanted)

    assert (way.problem, way.settings) == (None, settings)
    assert (way.settings_to_apply.models_prune, way.settings_to_apply.openhands_pull) == (False, "missing")
    assert str(way.record) == f"2026-11-25 17:02 UTC by {provenance.user_at_controller()}"


@pytest.mark.parametrize(
    ("files", "wanted", "reason", "hint"),
    [
        ({}, None, "the host has no current release record", "declare another release"),
        (
            {**PROVEN, paths.CURRENT_RECORD: render_record(CURRENT)},
            None,
            "the host has no previous release record",
            "restore the current record instead: add `--to current`",
        ),
        (
            {paths.CURRENT_RECORD: "{"},
            None,
            f"its record {paths.CURRENT_RECORD} can't be read",
            "declare what is to be there",
        ),
        ({paths.CURRENT_RECORD: '{"schema": 2}'}, None, f"its record {paths.CURRENT_RECORD} can't be read", "declare"),
        (RECORDS, "first", "`fleethands_rollback_to`: expected `current` or `previous`, got `first`", ""),
    ],
)
def test_a_host_is_refused_with_the_reason(files: dict[str, str], wanted: str | None, reason: str, hint: str) -> None:
    way = rollback.find_target(declared(), probe_with_files(**files), wanted)

    decision = rollback.check_target.decide(way.settings_to_apply, probe_with_files(**files), way)
    assert isinstance(decision, Refused)
    assert decision.reason == reason
    assert "".join(decision.hints).startswith(hint)
    assert way.settings == declared()


def test_a_secret_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "hunter2")
    today = declared(openhands_env={"TOKEN": Secret.env("MY_TOKEN")})
    text = render_record(today)
    assert "hunter2" not in text
    monkeypatch.delenv("MY_TOKEN")

    way = rollback.find_target(today, probe_with_files(**{paths.CURRENT_RECORD: text}))

    assert way.problem is not None
    assert way.problem.reason == (
        f"the record of 2026-11-25 17:02 UTC by {provenance.user_at_controller()} can't be applied from here: "
        "`openhands_env.TOKEN`: environment variable `MY_TOKEN` is not set"
    )


# as fleethands at 281063c writes it
OLD_RECORD = (
    '{"schema": 1, "by": "ana@build-2", "version": "0.1.0", "revision": "281063c+", "declared": {"firewall": true, '
    '"allow_from": [], "openhands_flavor": "off", "openhands_image": "ghcr.io/all-hands-ai/openhands:main", '
    '"openhands_pull": "missing", "openhands_settings": "kept", "openhands_adopt": false, "openhands_port": 3000, '
    '"openhands_bind": "127.0.0.1", "openhands_workspace": "/opt/openhands/workspace", "openhands_env": {}, '
    '"openhands_user": "openhands", "models": [{"name": "codellama:7b", "insecure": false, "preload": false}], '
    '"models_prune": false, "ollama_version": "0.24.0", "ollama_url": "https://mirror.example/ollama", '
    '"ollama_transfer": "host", "ollama_host": "0.0.0.0:11434", "ollama_origins": ["*"], "ollama_keep_alive": "7m", '
    '"ollama_env": {"OLLAMA_NUM_PARALLEL": 2}, "ollama_adopt": false}, "versions": {"ollama": "0.24.0", "models": '
    '{"codellama:7b": ""}, "image": {"name": "", "id": ""}}, "run": "8c2f1a90", "time": "2026-11-25T17:02:11Z"}'
)


def test_a_record_of_before_is_read_as_it_was() -> None:
    way = rollback.find_target(declared(), probe_with_files(**{paths.CURRENT_RECORD: OLD_RECORD}))

    assert (way.problem, way.image) == (None, "")
    assert (way.settings.ollama_keep_alive, way.settings.ollama_env) == ("7m", {"OLLAMA_NUM_PARALLEL": 2})
    assert str(way.record) == "2026-11-25 17:02 UTC by ana@build-2"
