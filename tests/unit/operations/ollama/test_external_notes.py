"""Notes of a plan with an external Ollama: unused settings, proxies, vulnerabilities, checksums."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleethands.facts.external_ollama import VersionRequest
from fleethands.facts.ollama import Ollama
from fleethands.operations.core.decision import Unchanged
from fleethands.operations.models import checksums
from fleethands.operations.ollama import external as external_ollama
from fleethands.operations.preflight import preflight
from fleethands.report.redaction import Mask
from fleethands.settings import Secret
from tests.helpers.external_ollama import URL, declare_external, probe_external
from tests.hosts import bare


def test_what_has_no_effect_is_named_once() -> None:
    data: dict[str, Any] = {"ollama_env": {"OLLAMA_DEBUG": 1}, "gpu": True, "models_prune": True}
    settings = declare_external(**data, models=[{"name": "codellama:7b", "preload": True}])

    same = preflight.check.decide(settings, probe_external(settings))

    assert isinstance(same, Unchanged)
    (note,) = [note for note in same.notes if note.startswith("without effect")]
    assert "`ollama_env`, `models_prune`, `gpu`, `preload` of a model; " in note
    assert URL in note
    assert (
        external_ollama.unused_settings_notes(declare_external(gpu=False, ollama_version="0.24.0"), bare())[0].count(
            "`"
        )
        == 6
    )


def test_a_secret_that_no_host_needs_may_be_missing(tmp_path: Path) -> None:
    settings = declare_external(ollama_env={"OLLAMA_API_KEY": Secret.file(str(tmp_path / "none"))})

    assert settings.ollama_environment == {}
    assert Mask.from_settings([settings]).text("nothing") == "nothing"


def test_a_known_flaw_is_that_of_the_release_which_answers() -> None:
    settings = declare_external()
    old = probe_external(settings).replace(ollama=Ollama("0.11.0", way=VersionRequest(0, 200)))

    same = preflight.check.decide(settings, old)

    assert isinstance(same, Unchanged)
    assert any("Ollama 0.11.0 has a known vulnerability" in note for note in same.notes)


@pytest.mark.parametrize(
    ("env", "noted"),
    [
        ({"HTTP_PROXY": "http://p:3128"}, True),
        ({"http_proxy": "http://p:3128", "no_proxy": "localhost"}, True),
        ({"HTTP_PROXY": "http://p:3128", "NO_PROXY": "localhost, 10.0.0.5"}, False),
        ({"HTTP_PROXY": "http://p:3128", "NO_PROXY": "*"}, False),
        ({"HTTPS_PROXY": "http://p:3128"}, False),
        ({}, False),
    ],
)
def test_a_proxy_of_openhands_is_noted(env: dict[str, str], noted: bool) -> None:
    settings = declare_external(openhands_flavor="canvas", openhands_env=env)

    same = preflight.check.decide(settings, probe_external(settings))

    assert isinstance(same, Unchanged)
    assert any('add to `openhands_env`: "NO_PROXY": "10.0.0.5"' in note for note in same.notes) is noted


def test_no_blob_is_read() -> None:
    settings = declare_external()

    same = checksums.verify.decide(settings, probe_external(settings))

    assert isinstance(same, Unchanged)
    assert "not this host's to read" in same.notes[0]
