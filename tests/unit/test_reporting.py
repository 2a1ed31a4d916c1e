"""What a run says of a host: an earlier proof is one only where nothing was changed since."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.operations.change import Change, Same
from fleethands.operations.journal import Entry
from fleethands.operations.proof import Link
from fleethands.rollout.outcome import Outcome
from fleethands.rollout.report import HostReport
from fleethands.rollout.reporting import applied_one
from fleethands.rollout.walk import Walk
from fleethands.script import Script

EARLIER = [Link("list", True, 0.1, "m:1 is there")]
NAME = "Ollama | Write the override"
CHANGE, SAME = Change("override.conf", "differs", "as declared", Script("")), Same("as declared")


class Engine:
    """A stand-in whose one host was at one operation, which made no proof."""

    def __init__(self, decision: Any, *, failed: bool) -> None:
        self._decision, self._failed = decision, failed
        self.walks = {"gpu-1": Walk(done=not failed)}
        self.watch = type("Watch", (), {"commands": {"gpu-1": 2}, "lost": {}, "words": "fleet.py"})

    def done(self, _: str) -> list[Entry]:
        return [Entry(NAME, self._decision, executing=True)]

    def outcomes(self, _: str) -> list[Outcome]:
        return [Outcome(NAME, self._failed, "", "")]


@pytest.mark.parametrize(
    ("decision", "failed", "proof"),
    [(CHANGE, True, []), (CHANGE, False, []), (SAME, False, EARLIER)],  # the second: `--verify never`
)
def test_an_earlier_proof_is_none_of_a_host_that_was_changed_since(
    decision: Any, failed: bool, proof: list[Link]
) -> None:
    engine: Any = Engine(decision, failed=failed)

    assert applied_one(engine, "gpu-1", HostReport("pending", proof=EARLIER)).proof == proof
