"""What would not reach its process as it was declared is refused before anything connects, with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.settings import SettingsError
from fleethands.settings.values.names import ModelName
from tests.hosts import declared


def problems(**data: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        declared(**data)
    return [f"{mistake.path}: {mistake.problem}" for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("data", "path", "problem"),
    [
        (
            {"ollama_env": {"OLLAMA_API_KEY": "a\ufffe"}},
            "ollama_env.OLLAMA_API_KEY",
            "expected no U+FFFE: systemd stops",
        ),
        (
            {"ollama_env": {"NO_PROXY": "x" * 60_000}},
            "ollama_env",
            "expected at most 60000 bytes of variables in total",
        ),
        ({"ollama_keep_alive": "5m\0"}, "ollama_keep_alive", "expected"),
        ({"ollama_origins": ["app://x"]}, "ollama_origins.0", "expected `*` or a scheme, such as `https://x`"),
        ({"ollama_models_dir": "/srv/\udcff"}, "ollama_models_dir", "expected text that can be written as UTF-8"),
        ({"ollama_models_dir": "/srv/\x7f"}, "ollama_models_dir", "expected one line without control characters"),
        ({"ollama_origins": ["x\udcff"]}, "ollama_origins.0", "expected text that can be written as UTF-8"),
        ({"ollama_env": {"OLLAMA_NOPRUNE\udcff": 1}}, "ollama_env", "expected names that can be written as UTF-8"),
        ({"ollama_models_dir": "/srv/a "}, "ollama_models_dir", "expected no space and no quote at its end"),
        ({"ollama_models_dir": "/srv/[a]"}, "ollama_models_dir", "expected none of"),
        ({"openhands_workspace": "/srv/" + "x" * 256}, "openhands_workspace", "expected a path of at most"),
    ],
)
def test_what_would_not_arrive_is_refused(data: dict[str, Any], path: str, problem: str) -> None:
    (found,) = problems(**data)

    assert found.startswith(f"{path}: {problem}")


def test_a_path_is_that_of_linux() -> None:
    assert str(declared(openhands_workspace="//srv/./work//space/").openhands_workspace) == "/srv/work/space"


@pytest.mark.parametrize("name", ["tiny", "Library/tiny:LATEST", "Registry.Ollama.AI/library/tiny:latest"])
def test_defaults_are_the_same_in_any_case(name: str) -> None:
    assert str(ModelName.parse(name)) == "tiny:latest"
