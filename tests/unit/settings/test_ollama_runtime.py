"""How Ollama runs: what a way to run it wants declared, and what another way does not read."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.settings import SettingsError, read_fleet
from fleethands.settings.openhands import base_url
from tests.hosts import declared

EXTERNAL = {"ollama_runtime": "external"}
CONTAINER = {"ollama_runtime": "container", "ollama_version": "0.24.0"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (EXTERNAL, "`ollama_address`: expected an address such as `http://10.0.0.5:11434`"),
        ({"ollama_address": "http://10.0.0.5:11434"}, "expected only where `ollama_runtime` is `external`"),
        ({"ollama_image": "ollama/ollama:0.24.0"}, "expected only where `ollama_runtime` is `container`"),
        ({**EXTERNAL, "ollama_address": "10.0.0.5:11434"}, "expected a scheme, such as `http://10.0.0.5:11434`"),
        ({**EXTERNAL, "ollama_address": "http://a:11434/v1"}, "without a path, such as `http://a:11434`"),
        ({**EXTERNAL, "ollama_address": "http://u:p@a:11434"}, "an address without a user and password"),
        ({**EXTERNAL, "ollama_address": "http://a:99999"}, "expected a port from 1 to 65535"),
        ({**EXTERNAL, "ollama_address": "http://fe80::1:11434"}, "an IPv6 address in its brackets"),
        ({**EXTERNAL, "ollama_address": "http://[::g]:11434"}, "an address without a path"),
        ({**CONTAINER, "ollama_image": "ollama/ollama:0.23.0"}, "a tag of the release in `ollama_version`"),
        ({**CONTAINER, "ollama_image": "ollama/ollama"}, "a tag of the release in `ollama_version`"),
        ({"ollama_runtime": "docker"}, "expected one of `service`, `container`, `external`"),
    ],
)
def test_what_is_wrong_with_a_way_to_run_it(data: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_fleet({"a": {"models": ["codellama:7b"], **data}})

    assert said in str(caught.value)


def test_a_model_is_not_made_on_somebody_elses_ollama() -> None:
    models = [{"name": "mine", "modelfile": "FROM codellama:7b"}]

    with pytest.raises(SettingsError) as caught:
        read_fleet({"a": {**EXTERNAL, "ollama_address": "http://10.0.0.5:11434", "models": models}})

    assert "`models.0.modelfile`: expected no Modelfile, because `ollama_runtime` is `external`" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "flavor", "seen"),
    [
        ("http://10.0.0.5:11434", "gui", "http://10.0.0.5:11434"),
        ("https://ollama.example/", "gui", "https://ollama.example"),
        ("http://127.0.0.1:11500", "gui", "http://host.docker.internal:11500"),
        ("http://[::1]:11500", "canvas", "http://host.docker.internal:11500"),
        ("http://localhost:11500", "source", "http://localhost:11500"),
        ("http://localhost.example:11500", "gui", "http://localhost.example:11500"),
    ],
)
def test_openhands_sees_it_where_it_can_reach_it(url: str, flavor: str, seen: str) -> None:
    assert base_url(declared(**EXTERNAL, ollama_address=url, openhands_flavor=flavor)) == seen


@pytest.mark.parametrize(
    ("image", "tag_or_digest"),
    [
        (None, "ollama/ollama:0.24.0"),
        ("registry.example:5000/ollama:0.24.0-rocm", "registry.example:5000/ollama:0.24.0-rocm"),
        (f"ollama/ollama@sha256:{'0' * 64}", f"ollama/ollama@sha256:{'0' * 64}"),
    ],
)
def test_the_image_is_of_the_release(image: str | None, tag_or_digest: str) -> None:
    assert declared(**CONTAINER, ollama_image=image).ollama_container_image == tag_or_digest


def test_a_service_has_no_image() -> None:
    assert declared().ollama_container_image == ""
