"""What a proof asks of Ollama."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleethands.operations import proof
from fleethands.operations.change import Change
from tests.hosts import bare, declared


@pytest.mark.parametrize(
    ("keep_alive", "asked"),
    [(None, None), ("24h", None), ("-1", None), ("-5m", None), ("60", None), ("0", "60s"), ("1s", "60s")],
)
def test_a_model_that_would_go_at_once_stays_until_it_was_looked_at(keep_alive: str | None, asked: Any) -> None:
    settings = declared(**{"ollama_keep_alive": keep_alive} if keep_alive else {})

    decision = proof.answered.decide(settings, bare(settings), recorded=settings)

    assert isinstance(decision, Change)
    assert json.loads(decision.script.values["request"]).get("keep_alive") == asked
