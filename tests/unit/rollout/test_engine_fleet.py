"""What a rollout reads from the engine: which release record a failed host goes back to."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands import paths
from fleethands.facts.files import File
from fleethands.operations.core import release_record
from fleethands.operations.core.decision import Change
from fleethands.operations.core.journal import JournalEntry
from fleethands.operations.proof import proof
from fleethands.report.model import Report
from fleethands.rollout.engine_fleet import EngineFleet
from tests.hosts import bare, declared

NOW = declared(ollama_keep_alive="1m")


def noted(known: Any) -> Change:
    """The proof of a host that is as NOW declares it, and has a record of `known`."""
    seen = bare(NOW)
    if known is not None:
        text = release_record.new_record(known, seen).entry + ', "run": "r1", "time": "2026-11-25T17:02:11Z"}'
        seen = seen.with_file(paths.CURRENT_RECORD, File("file", content=text.encode()))
    decision = proof.prove.decide(NOW, seen, recorded=NOW)
    assert isinstance(decision, Change)
    return decision


class Engine:
    """A stand-in, of one host that made its proof, or did not."""

    def __init__(self, decision: Change, *, proven: bool) -> None:
        self._decision, self._proven = decision, proven

    def has_proven(self, _: str) -> bool:
        return self._proven

    def executed(self, _: str) -> list[JournalEntry]:
        return [JournalEntry("Proof | Get an answer to a prompt", self._decision, executing=True)]


@pytest.mark.parametrize(
    ("known", "proven", "record"),
    [
        (NOW, True, "current"),  # drift was repaired, and the record has stayed as it was
        (declared(), True, "previous"),
        (None, True, "previous"),  # the rollback says that there is none
        (declared(), False, "current"),
        (NOW, False, "current"),
    ],
)
def test_a_host_goes_back_by_one_record_and_never_by_two(known: Any, proven: bool, record: str) -> None:
    engine: Any = Engine(noted(known), proven=proven)
    none: Any = None

    assert EngineFleet(engine, Report("apply", {}), none, none, none).record_to_restore("a") == record
