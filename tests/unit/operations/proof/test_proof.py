"""What a proof asks of Ollama."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleethands.operations.core import proof_record
from fleethands.operations.core.decision import Change
from fleethands.operations.proof import proof
from tests.hosts import bare, declared


@pytest.mark.parametrize(
    ("keep_alive", "asked"),
    [(None, None), ("24h", None), ("-1", None), ("-5m", None), ("60", None), ("0", "60s"), ("1s", "60s")],
)
def test_a_model_that_would_go_at_once_stays_until_it_was_looked_at(keep_alive: str | None, asked: Any) -> None:
    settings = declared(**{"ollama_keep_alive": keep_alive} if keep_alive else {})

    decision = proof.prove.decide(settings, bare(settings), recorded=settings)

    assert isinstance(decision, Change)
    assert json.loads(decision.script.values["request"]).get("keep_alive") == asked


@pytest.mark.parametrize(
    "record",
    [
        "list\tok\t\u00b2\t\t\n",  # a digit, and no number
        f"list\tok\t{'9' * 4000}\t\t\n",
        "list\tfine\t1\t\t\n",
        "\x1b[2J\tok\t1\t\t\n",
        "list\tok\t1\t\t\n" * 1001,
        "list\tok\n",
        "\n",
        "",
    ],
)
def test_a_proof_that_is_none_has_no_links(record: str) -> None:
    assert proof_record.parse_links(record.encode()) == []


def test_a_host_s_words_about_its_proof_are_one_short_line_each() -> None:
    text = (
        b"list\tok\t1\ndocker\tbroken\t20\tno\x1b[2J\x9b2J\r\xff end" + b"x" * 5000 + b"\ton the host: ls\x00\tmore\n"
    )

    first, second = proof_record.parse_links(text)

    assert first == proof_record.Link("list", True, 0.001, "")
    assert second.detail.startswith("no\ufffd2J \ufffd endxxx")
    assert (len(second.detail), second.hint) == (1000, "on the host: ls\ufffd")
