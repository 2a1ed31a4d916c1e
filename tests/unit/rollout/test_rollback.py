"""Which record a rollout takes a host back to, and what an interrupt says meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts.files import File
from fleethands.operations.core import release_record
from fleethands.operations.core.decision import Change
from fleethands.operations.core.journal import JournalEntry
from fleethands.operations.proof import proof
from fleethands.report.model import ChangeReport, HostReport, Report
from fleethands.rollout.rollout import Rollout
from fleethands.rollout.strategy import Batch, HostQuota, RolloutStrategy
from tests.hosts import bare, declared

DRIFT = ChangeReport("Ollama", "Write the unit", "ollama.service", "another", "as declared")
NOW = declared(ollama_keep_alive="1m")


def noted(known: Any) -> Change:
    """The proof of a host that is as NOW declares it, and has a record of `known`."""
    seen = bare(NOW)
    if known is not None:
        text = release_record.new_record(known, seen).entry + ', "run": "r1", "time": "2026-11-25T17:02:11Z"}'
        seen = seen.with_file(paths.RECORD, File("file", content=text.encode()))
    decision = proof.prove.decide(NOW, seen, recorded=NOW)
    assert isinstance(decision, Change)
    return decision


class Engine:
    """A stand-in, of one host that made its proof, or did not."""

    names = ("a",)

    def __init__(self, decision: Change, *, proven: bool) -> None:
        self.stopping = False
        self._decision, self._proven = decision, proven
        self.host_runs = {"a": SimpleNamespace(interrupted=False)}

    def has_proven(self, _: str) -> bool:
        return self._proven

    def stop(self) -> None:
        self.stopping = True

    def executed(self, _: str) -> list[JournalEntry]:
        return [JournalEntry("Proof | Get an answer to a prompt", self._decision, executing=True)]


@pytest.mark.parametrize(
    ("known", "proven", "place"),
    [
        (NOW, True, "current"),  # drift was repaired: the record of now is not a new one
        (declared(), True, "previous"),
        (None, True, "previous"),  # where there is nothing
        (declared(), False, "current"),
        (NOW, False, "current"),
    ],
)
def test_a_host_goes_back_by_one_record_and_never_by_two(
    monkeypatch: pytest.MonkeyPatch, known: Any, proven: bool, place: str
) -> None:
    engine: Any = Engine(noted(known), proven=proven)
    plan = Report("apply", {"a": HostReport("pending", changes=[DRIFT])})
    nobody: Any = SimpleNamespace()
    rollout = Rollout(engine, plan, RolloutStrategy(), nobody, nobody)
    taken: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(rollout, "_go_back_to", lambda *words: taken.append(words))

    rollout._go_back(["a"])

    assert taken == [(place, ["a"])]


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (True, "interrupted: what goes back does so to its end; once more ends it at once"),
        (False, "interrupted: each host finishes its step; once more ends it at once"),
    ],
)
def test_the_first_ctrl_c_says_what_becomes_of_the_hosts(
    monkeypatch: pytest.MonkeyPatch, back: bool, said: str
) -> None:
    engine: Any = Engine(noted(NOW), proven=True)
    phases: list[str] = []
    listener: Any = SimpleNamespace(phase=phases.append)
    plan = Report("apply", {"a": HostReport("pending", changes=[DRIFT])})
    nobody: Any = SimpleNamespace()
    rollout = Rollout(engine, plan, RolloutStrategy(), listener, nobody)
    monkeypatch.setattr(rollout, "_go_back_to", lambda *_: rollout._stop() if back else None)

    rollout._go_back(["a"])
    rollout._stop()

    assert phases == [said]


def test_a_share_of_failures_is_one_of_all_hosts_of_the_run() -> None:
    engine: Any = Engine(noted(NOW), proven=True)
    engine.names = tuple("abcdefghij")  # of which two have something to do
    plan = Report("apply", {name: HostReport("pending", changes=[DRIFT]) for name in "ab"})
    nobody: Any = SimpleNamespace()
    rollout = Rollout(engine, plan, RolloutStrategy(failure_limit=HostQuota.read("--max-fail", "20%")), nobody, nobody)

    for name, why in (("a", ""), ("b", "2 of 2 failed: a, b")):
        rollout._report.hosts[name] = HostReport("failed")
        rollout._judge(Batch(f"batch {name}", (name,)))

        assert rollout._why == why
