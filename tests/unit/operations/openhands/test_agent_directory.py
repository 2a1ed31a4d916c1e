"""The directory above the agent's own is root's, on hosts of earlier releases too."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.facts.system import Account, Accounts
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.system import system
from tests.hosts import bare, declared

HOME = paths.OPENHANDS_HOME


def seen(user: str, owner: str) -> Probe:
    accounts = Accounts({user: Account(999, 999, HOME, frozenset({user}))}, frozenset())
    home = File("directory", "0755", 999, 999, owner=owner)
    return bare().replace(accounts=accounts).with_file(HOME, home)


def decided(user: str, probe: Probe) -> Any:
    return system.create_user.decide(declared(), probe, user=user, home=HOME, roots_home=True)


def test_one_that_the_agent_owns_becomes_roots() -> None:
    change = decided("openhands", seen("openhands", "openhands:openhands"))

    assert isinstance(change, Change)
    assert (change.before, change.after) == (f"owns {HOME}", "present")
    assert isinstance(decided("openhands", change.predict(seen("openhands", "openhands:openhands"))), Unchanged)


@pytest.mark.parametrize(
    ("user", "owner"), [("openhands", "root:root"), ("openhands", "dev:dev"), ("root", "root:root")]
)
def test_one_of_roots_or_of_a_person_stays(user: str, owner: str) -> None:
    assert isinstance(decided(user, seen(user, owner)), Unchanged)
