"""Settings: right ones are read, wrong ones are all named at once."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.settings import Secret, SettingsError, read_fleet
from fleethands.settings.values import Address, ModelName
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
    assert "a: `models.0.name`: expected `model:tag`, as `codellama:7b`, got `code llama`" in text
    assert "a: `openhands_port`" in text
    assert "b: `ollama_origins`: expected `*` or a scheme, as `https://example.com`" in text
    assert "b: `ollama_env`: `OLLAMA_NOPRUNE`: expected False, got `off`, which Ollama takes for true" in text
    assert "c: `ollama_version`" in text
    assert "ssh_user" not in text


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("codellama:7b", "codellama:7b"),
        ("codellama", "codellama:latest"),
        ("team/tiny:v1", "team/tiny:v1"),
        ("registry.ollama.ai/library/tiny", "tiny:latest"),
        ("10.0.0.1:5000/team/tiny:v1", "10.0.0.1:5000/team/tiny:v1"),
    ],
)
def test_model_names_read_as_ollama_lists_them(name: str, short: str) -> None:
    assert str(ModelName.parse(name)) == short


@pytest.mark.parametrize("name", ["", "a b", "a:b:c", "$(id)", "-x", "a/b.c/d/e", "x" * 81, "a\n", "m@sha256:00"])
def test_other_model_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        ModelName.parse(name)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("[::]:8080", "http://[::1]:8080"),
        ("10.1.2.3:80", "http://10.1.2.3:80"),
    ],
)
def test_the_address_to_ask_follows_the_bind(text: str, url: str) -> None:
    assert Address.parse(text).local_url == url


@pytest.mark.parametrize("text", ["http://0.0.0.0:11434", "localhost", "0.0.0.0:0", "0.0.0.0:70000", "1.2.3:4"])
def test_binds_that_ollama_would_misread_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("OLLAMA_FLASH_ATTENTION", "off", "expected False"),
        ("OLLAMA_SCHED_SPREAD", "disabled", "expected False"),
        ("OLLAMA_NO_CLOUD", "yes", "expected True"),
        ("OLLAMA_NUM_PARALLEL", "two", "whole number"),
        ("OLLAMA_MAX_QUEUE", True, "whole number"),
        ("OLLAMA_LOAD_TIMEOUT", "5 minutes", "duration"),
        ("OLLAMA_HOST", "0.0.0.0", "setting `ollama_host`"),
        ("HTTP_PROXY", "http://proxy:3128", "HTTPS_PROXY"),
        ("OLLAMA_NUM_PARALEL", 2, "nearest is `OLLAMA_NUM_PARALLEL`"),
        ("OLLAMA_REGISTRIES", "x", "no such variable"),
    ],
)
def test_values_that_ollama_misreads_are_refused_with_the_right_spelling(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(SettingsError, match=wanted):
        declared(ollama_env={name: value})


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


@pytest.mark.parametrize("key", ["openhands_flavor", "models_prune", "gpu", "openhands_image"])
def test_what_this_version_does_not_do_is_refused(key: str) -> None:
    data = {"openhands_flavor": "canvas", "models_prune": True, "gpu": True, "openhands_image": "openhands:1.11"}

    with pytest.raises(SettingsError, match=f"`{key}`: .*not supported by this version"):
        declared(**{key: data[key]})
