"""Which changes travel together: as far as each prediction has what the next decision reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.context import ctx_host, ctx_state

from fleethands import paths
from fleethands.facts import Unknown, UnknownSection
from fleethands.facts.files import ABSENT, File
from fleethands.facts.host_session import session_of
from fleethands.operations.core import lock_token
from fleethands.operations.core.decision import Change, Decision, Place, Refused, Unchanged
from fleethands.operations.core.look_ahead import make_sequence
from fleethands.operations.core.sequence import Sequence
from fleethands.script import Script
from tests.hosts import bare, declared

RUN = "r1"
SETTINGS = declared(openhands_flavor="off")
MOTD = "/etc/motd"


class Host:
    """A host of pyinfra whose operations are only looked at."""

    def __init__(self, client: object | None = object()) -> None:
        self.connector = SimpleNamespace(client=client)
        self.current_op_hash = self.executing_op_hash = "0"


def change(name: str, place: Place = Place.WITHIN, **more: Any) -> Change:
    return Change(name, "a", "b", Script(name), place=place, **more)


@contextmanager
def operations(*decisions: Any, host: Any = None, token: str = RUN, **arguments: Any) -> Iterator[Sequence | None]:
    """The sequence that begins with the first one; + arguments: global ones of pyinfra, of the last operation."""
    host = host or Host()
    names = [str(number) for number in range(len(decisions))]
    rows: dict[str, Any] = {name: SimpleNamespace(global_arguments={"_sudo": False}) for name in names}
    rows[names[-1]].global_arguments.update(arguments)
    state = SimpleNamespace(ops={host: rows}, get_op_order=lambda: ["of another host", *names])
    session = session_of(host)
    probe = bare(SETTINGS)
    session.probes.get(SETTINGS, lambda _: probe, executing=True)
    for name, decision in zip(names[1:], decisions[1:], strict=True):
        if decision is not None:  # an operation of someone else
            session.planned[name] = decision if callable(decision) else lambda _, made=decision: made
    lock_token.set_token(host, token)
    with ctx_host.use(host), ctx_state.use(state):
        yield make_sequence(decisions[0], lambda each: each.subject)


def travelling(*decisions: Any, **more: Any) -> list[str] | None:
    with operations(*decisions, **more) as sequence:
        return [step.script for step in sequence.steps] if sequence else None


def test_foreseen_changes_travel_together_up_to_one_that_is_read_again() -> None:
    four = change("a"), [change("b"), change("c")], Unchanged("as is"), change("d", Place.LAST)

    assert travelling(*four, change("e")) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "next_one",
    [
        change("alone", Place.ALONE),
        [change("b"), change("alone", Place.ALONE)],
        change("sent", upload=SimpleNamespace(files=list)),
        Refused("no room"),
        None,
    ],
)
def test_what_needs_a_decision_ends_it(next_one: Any) -> None:
    assert travelling(change("a"), next_one, change("c")) == ["a"]


def test_a_change_alone_travels_with_the_probe_only() -> None:
    assert travelling(change("a", Place.ALONE), change("b")) == ["a"]
    assert travelling([change("a"), change("b", Place.LAST)], change("c")) == ["a", "b"]


@pytest.mark.parametrize(
    "arguments", [{"_if": [lambda: True]}, {"_timeout": 5}, {"_retries": 1}, {"_ignore_errors": True}, {"_sudo": True}]
)
def test_an_operation_that_runs_in_another_way_ends_it(arguments: dict[str, Any]) -> None:
    assert travelling(change("a"), change("b"), **arguments) == ["a"]


def test_without_a_lock_without_ssh_and_under_conditions_there_is_none() -> None:
    assert travelling(change("a"), token="") is None
    assert travelling(change("a"), host=Host(client=None)) is None
    assert travelling(change("a"), _timeout=5) is None
    assert travelling([change("a"), change("b", upload=SimpleNamespace(files=list))]) is None


def test_each_decision_is_made_from_the_host_as_the_changes_before_leave_it() -> None:
    written = File("file", "0644", content=b"hello")

    def second(probe: Any) -> Decision:
        assert probe.files[paths.PROOF] == ABSENT  # a change invalidates it
        return Unchanged("there") if probe.files[MOTD] == written else change("missing")

    first = change("a", predict=lambda probe: probe.with_file(MOTD, written))

    with operations(first, second, change("c")) as sequence:
        assert sequence
        assert list(sequence.decisions) == ["0", "1", "2"]
        assert [step.operation for step in sequence.steps] == ["0", "2"]


def test_what_changes_nothing_at_the_end_is_decided_from_the_real_host() -> None:
    with operations(change("a"), Unchanged("as is"), Unchanged("too")) as sequence:
        assert sequence
        assert list(sequence.decisions) == ["0"]


def test_a_section_that_is_not_known_ends_it() -> None:
    def unknown(_: Any) -> Decision:
        raise UnknownSection("docker", Unknown("no answer within 5 s"))

    assert travelling(change("a"), unknown, change("c")) == ["a"]
