"""What OpenHands has chosen, by whom, and whether it can work: from its settings files."""

from __future__ import annotations

import json

import pytest

from fleethands.facts.files import File
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.openhands import select_model
from fleethands.operations.openhands.current_model import current_model
from fleethands.settings.generations import V0, V1, Generation
from tests.hosts import bare, declared

HERE = "http://host.docker.internal:11434"
OURS = {"llm_model": "openai/codellama:7b", "llm_base_url": f"{HERE}/v1", "llm_api_key": "ollama"}


def standing(model: str, url: str, choice: str = "kept") -> tuple[str, str, str]:
    settings = declared(openhands_settings=choice)
    seen = bare(settings).with_file(V0.seed_path, File("file", content=json.dumps(OURS).encode()))
    theirs = {**OURS, "llm_model": model, "llm_base_url": url}
    seen = seen.with_file(V0.settings_path, File("file", content=json.dumps(theirs).encode()))
    found = current_model(
        settings.model_copy(), seen.replace(models={"codellama:7b": "0" * 64, "mine:latest": "1" * 64})
    )
    return found.model, found.address, found.wrong


def test_what_we_wrote_is_to_be_read_back() -> None:
    assert standing(OURS["llm_model"], OURS["llm_base_url"]) == (OURS["llm_model"], "", "")
    assert standing("openai/mine", "http://elsewhere/v1", "enforced") == (OURS["llm_model"], "", "")


@pytest.mark.parametrize(
    ("model", "url", "address", "wrong"),
    [
        ("openai/mine", f"{HERE}/v1", "", ""),
        ("ollama_chat/mine:latest", HERE, "", ""),
        ("openai/gone", f"{HERE}/v1", "", "which Ollama does not have"),
        ("openai/mine", HERE, "", "must end in /v1"),
        ("ollama_chat/mine", f"{HERE}/v1/", "", "must not end in /v1"),
        ("ollama/mine", HERE, "", "sends no tools"),
        ("mine", f"{HERE}/v1", "", "whose model that is"),
        ("openai/x", "http://user:secret@gpu.example:8000/v1?key=secret", "http://gpu.example:8000", ""),
        ("anthropic/claude", "", "", ""),
        ("openai/x", "http://[broken", "", ""),
    ],
)
def test_a_persons_choice_is_tried_as_far_as_it_can_be(model: str, url: str, address: str, wrong: str) -> None:
    read_back, tried, against = standing(model, url)

    assert (read_back, tried) == ("", address)
    assert wrong in against
    assert bool(against) == bool(wrong)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 60_000,
        b'{"agent_settings": ' * 900 + b"1" + b"}" * 900,
        b'{"agent_settings": "x", "llm_model": "\\ud800"}',
        b'{"agent_settings": {"llm": [1]}, "llm_model": {"a": NaN}}',
        b"\xff\xfe",
        b"null",
    ],
)
@pytest.mark.parametrize("era", [V0, V1], ids=["v0", "v1"])
def test_whatever_the_agent_wrote_a_model_can_be_chosen(era: Generation, text: bytes) -> None:
    image = "docker.openhands.dev/openhands/openhands:1.11"
    settings = declared(openhands_settings="enforced", **({"openhands_image": image} if era is V1 else {}))
    seen = bare(settings).with_file(era.settings_path, File("file", content=text))

    decision = select_model.select_model.decide(settings, seen)

    assert isinstance(decision, Change)
    assert select_model.select_model.decide(settings, decision.predict(seen)) == Unchanged(
        "OpenHands has openai/codellama:7b chosen"
    )
