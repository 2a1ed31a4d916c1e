"""Settings: right ones are read, wrong ones are all named at once."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.settings import Secret, SettingsError, read_fleet
from fleethands.settings.openhands import generation_of
from tests.hosts import declared


def test_defaults_follow_from_each_other() -> None:
    settings = declared()

    assert settings.ollama_environment == {
        "OLLAMA_HOST": "0.0.0.0:11434",
        "OLLAMA_ORIGINS": "*",
        "OLLAMA_CONTEXT_LENGTH": "32768",
    }
    assert str(settings.model) == "codellama:7b"
    assert "OLLAMA_CONTEXT_LENGTH" not in declared(openhands_flavor="off").ollama_environment


def test_every_mistake_of_a_fleet_is_named_at_once() -> None:
    fleet: dict[str, dict[str, Any]] = {
        "a": {"models": ["code llama"], "ollama_hst": "0.0.0.0", "openhands_port": 70000, "ssh_user": "root"},
        "b": {"models": ["m"], "ollama_origins": ["example.com"], "ollama_env": {"OLLAMA_NOPRUNE": "off"}},
        "c": {"ollama_version": "v0.24"},
    }

    with pytest.raises(SettingsError) as caught:
        read_fleet(fleet)

    text = str(caught.value)
    assert "error: a: `ollama_hst`: no such setting, nearest is `ollama_host`" in text
    assert "a: `models.0.name`: expected `model:tag`, such as `codellama:7b`, got `code llama`" in text
    assert "a: `openhands_port`" in text
    assert "b: `ollama_origins.0`: expected `*` or a scheme, such as `https://example.com`" in text
    assert "b: `ollama_env.OLLAMA_NOPRUNE`: expected False, got `off`, which Ollama takes for true" in text
    assert "c: `ollama_version`" in text
    assert "ssh_user" not in text


def test_booleans_arrive_as_ollama_reads_them() -> None:
    environment = declared(ollama_env={"OLLAMA_NOPRUNE": True, "OLLAMA_VULKAN": False}).ollama_environment

    assert (environment["OLLAMA_NOPRUNE"], environment["OLLAMA_VULKAN"]) == ("1", "0")


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY", "http://u:hunter2@proxy")
    settings = declared(ollama_env={"HTTPS_PROXY": Secret.env("PROXY")})

    assert "hunter2" not in repr(settings) + str(settings)
    assert settings.ollama_environment["HTTPS_PROXY"] == "http://u:hunter2@proxy"


def test_a_missing_secret_names_its_place_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROXY", raising=False)

    with pytest.raises(SettingsError, match=r"`ollama_env\.HTTPS_PROXY`: environment variable `PROXY` is not set"):
        declared(ollama_env={"HTTPS_PROXY": Secret.env("PROXY")})


def test_what_this_version_does_not_do_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"`openhands_ref`: expected a release of @openhands/agent-canvas"):
        declared(openhands_flavor="source", openhands_ref="0.62.0")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({}, "v0"),
        ({"openhands_image": "ghcr.io/all-hands-ai/openhands:main"}, "v0"),
        ({"openhands_image": f"ghcr.io/all-hands-ai/openhands@sha256:{'0' * 64}"}, "v0"),
        ({"openhands_image": "docker.openhands.dev/openhands/openhands:1.11"}, "v1"),
        ({"openhands_image": "mirror.example:5000/openhands:0.59"}, "v0"),
        ({"openhands_image": "mirror.example:5000/openhands"}, "v1"),
        ({"openhands_image": "mirror.example:5000/openhands", "openhands_generation": "v0"}, "v0"),
        ({"openhands_flavor": "canvas"}, "canvas"),
    ],
)
def test_the_generation_follows_from_flavor_and_image(data: dict[str, str], name: str) -> None:
    assert generation_of(declared(**data)).name == name


@pytest.mark.parametrize("provider", ["", "ollama/", "ollama_chat/", "openai/"])
def test_a_model_with_its_provider_is_understood(provider: str) -> None:
    assert str(declared(openhands_model=f"{provider}codellama:7b").model) == "codellama:7b"
