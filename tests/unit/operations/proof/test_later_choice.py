"""What the proof's script makes of a model that a user selected after its variables were made."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from fleethands.operations.core import scripts
from fleethands.operations.core.host_script import variables
from fleethands.operations.proof.openhands_variables import declared_choice
from fleethands.script import Script
from tests.helpers.webserver import Say, body
from tests.hosts import declared

SCRIPTS = files("fleethands.operations.proof")
OURS = "http://host.docker.internal:11434"
MODELS = '{"models":[{"name":"tiny:latest"},{"name":"codellama:7b"}]}'
# the answers of OpenHands 0.62.0, 1.11.0 and Agent Canvas 1.16.0, as far as they name the model
FORMS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "v0": lambda model, url: {"language": "en", "llm_model": model, "llm_api_key": None, "llm_base_url": url},
    "v1": lambda model, url: {"agent_settings": {"agent": "x", "llm": {"model": model, "base_url": url}}},
    "canvas": lambda model, url: {
        "profiles": [
            {"name": "other", "model": "openai/other", "base_url": "http://other"},
            {"name": "default", "model": model, "base_url": url, "api_key_set": True},
        ],
        "active_profile": "default",
    },
}


def found(place: Path, answer: Any, url: str, reaches: bool = True, **data: Any) -> tuple[str, str]:
    """Verdict and words of the link, for an answer of OpenHands' settings API."""
    text = answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":"))
    (place / "answer").write_text(text)
    parts = ["1-record", "2-why-elsewhere", "2-why", "3-ollama", "4-openhands"]
    given = dict(variables(declared_choice(declared(**data))))
    known = {
        "local_url": url, "container_url": OURS, "model": "codellama:7b", "request": "{}", "warm": "{}", "gpu": "no",
        "place": "on the host", "restart": "r", "said_by_ollama": "l", "port_of_ollama": "1", "context": "",
        "least": "0", "openhands": "container", "tools": "no", "apply": "apply", "limit": "1", "limit_check": "1",
        **dict.fromkeys(("workspace", "port", "user", "container", "record"), "x"),
        **dict.fromkeys(("image", "ready_url", "settings_url", "key_file", "validation", "validate_url"), ""),
        **dict.fromkeys(("webhook", "elsewhere", "ollama_image", "entry", "shift", "records", "kept", "run"), ""),
    }  # fmt: skip
    stubs = [
        f"call_openhands() {{ cat '{place}/answer'; }}",
        f"inside() {{ echo \"$*\" >>'{place}/asked'; {'true' if reaches else 'false'}; }}",
        'prove_choice; printf %s "$seen"',
    ]
    own = [SCRIPTS.joinpath(f"{name}.sh").read_text() for name in parts]
    script = Script("\n".join(["set -eu", scripts.read("json"), *own, *stubs]), {**known, **given})
    done = subprocess.run(["sh"], input=script.text, capture_output=True, text=True, timeout=40, check=False)
    assert done.returncode == 0, done.stderr
    _, verdict, _, said, _ = done.stdout.rstrip("\n").split("\t")
    return verdict, said


@pytest.fixture
def url(serve: Callable[[Say], str]) -> str:
    return serve(body(MODELS))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("model", "at", "verdict", "words"),
    [
        ("openai/codellama:7b", f"{OURS}/v1", "ok", f"openai/codellama:7b at {OURS}/v1"),
        ("openai/tiny", f"{OURS}/v1", "ok", f"a person chose openai/tiny at {OURS}"),
        ("ollama_chat/tiny", OURS, "ok", f"a person chose ollama_chat/tiny at {OURS}"),
        ("anthropic/claude", "", "ok", "a person chose anthropic/claude of a provider's own, which was not asked"),
        ("openai/mine", "http://u:pw@elsewhere:80/v1", "ok", "a person chose openai/mine at http://elsewhere:80"),
        ("openai/nope", f"{OURS}/v1", "broken", "which Ollama does not have"),
        ("ollama/tiny", OURS, "broken", "with the prefix ollama/ litellm sends no tools"),
        ("openai/tiny", OURS, "broken", "the address must end in /v1"),
        ("ollama_chat/tiny", f"{OURS}/v1/", "broken", "the address must not end in /v1"),
        (
            "codellama",
            OURS,
            "broken",
            "a person chose codellama at http://host.docker.internal:11434: litellm does not",
        ),
        ("codellama", "", "broken", "a person chose codellama: litellm does not know whose model that is"),
    ],
)
def test_a_users_choice_is_judged(
    form: str, model: str, at: str, verdict: str, words: str, tmp_path: Path, url: str
) -> None:
    got = found(tmp_path, FORMS[form](model, at), url)

    assert got[0] == verdict
    assert words in got[1]
    assert "pw" not in got[1]


def test_a_server_that_does_not_answer_breaks_it(tmp_path: Path, url: str) -> None:
    answer = FORMS["v0"]("openai/mine", "http://elsewhere.invalid/v1")

    verdict, said = found(tmp_path, answer, url, reaches=False)

    assert (verdict, said) == (
        "broken",
        "a person chose openai/mine at http://elsewhere.invalid, and nothing answers there",
    )
    assert (tmp_path / "asked").read_text().split()[-1] == "http://elsewhere.invalid"


@pytest.mark.parametrize("answer", ["", "{", '{"error":"Settings not found"}', "[" * 50, '{"llm_model":5,"x":"a|b"}'])
def test_an_answer_without_a_model_breaks_it(answer: str, tmp_path: Path, url: str) -> None:
    verdict, said = found(tmp_path, answer, url)

    assert verdict == "broken"
    assert "openai/codellama:7b is chosen" in said or "litellm does not know" in said


def test_the_declared_model_alone_holds_where_it_is_enforced(tmp_path: Path, url: str) -> None:
    verdict, said = found(tmp_path, FORMS["v0"]("openai/tiny", f"{OURS}/v1"), url, openhands_settings="enforced")

    assert (verdict, said) == ("broken", "OpenHands does not say that openai/codellama:7b is chosen")
