"""What is remembered of a host between two operations; the host's answers are the test's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.context import ctx_host, ctx_state

from fleethands.facts import host_session
from fleethands.facts.host_session import get_probe, session_of
from tests.hosts import bare, declared

SETTINGS = declared(openhands_flavor="off")


class Host:
    current_op_hash = executing_op_hash = "ours"


class AnsweringSequence:
    """A sequence that answers any request with the probe behind its scripts."""

    is_abandoned = False

    def probe(self, _: Any) -> Any:
        return bare(SETTINGS)

    def abandon(self) -> None:
        self.is_abandoned = True


def operation() -> Any:
    """A complete operation that sent a command."""
    return SimpleNamespace(operation_meta=SimpleNamespace(is_complete=lambda: True, executed=True))


@pytest.mark.parametrize("is_foreign", [False, True])
def test_a_sequence_answers_unless_an_operation_of_others_came_behind_it(
    is_foreign: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, sequence, read_again = Host(), AnsweringSequence(), bare(SETTINGS)
    monkeypatch.setattr(host_session, "ask_host", lambda *_: read_again)
    state = SimpleNamespace(is_executing=True, ops={host: {"theirs" if is_foreign else "ours": operation()}})
    session = session_of(host)
    session.own_operations.add("ours")
    session.sequence = sequence
    with ctx_host.use(host), ctx_state.use(state):
        found = get_probe(SETTINGS)

    assert (found is read_again, sequence.is_abandoned) == (is_foreign, is_foreign)
