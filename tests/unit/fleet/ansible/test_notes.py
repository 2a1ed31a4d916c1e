"""Notes about hosts stop a run only when the run selects these hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleethands.fleet.ansible.notes import Notes, UnsupportedConnection, Unusable, check_connections, read_noted
from fleethands.fleet.ansible.place import FileLocation
from fleethands.settings import SettingsError

HERE = FileLocation(Path("hosts.yml"), 3)


def test_ways_that_can_not_be_gone_are_told_at_once_for_the_hosts_that_are_meant() -> None:
    vault = Unusable("ssh_password", "ansible_password", HERE, "encrypted")
    switch = Unusable("ansible_connection", "ansible_connection", HERE, "expected `ssh`")
    notes = {"a": Notes([vault]), "b": Notes([vault]), "sw-1": Notes([switch]), "sw-2": Notes([switch])}

    with pytest.raises(UnsupportedConnection) as caught:
        check_connections(notes, {})

    assert str(caught.value).count("\nerror: ") == 1
    assert caught.value.hints == (
        "to log in by a key instead: `--data ssh_password=null`",
        "to leave out what is not for fleethands: `--exclude sw-1,sw-2`",
    )
    check_connections({"a": notes["a"]}, {"ssh_password"})


def test_a_mistake_says_where_it_is_declared_but_for_what_is_given() -> None:
    notes = {"a": Notes(places={"openhands_port": HERE}), "b": Notes(settings=[Unusable("gpu", "gpu", HERE, "Jinja")])}
    fleet = {"a": {"models": ["m"], "openhands_port": 0}}

    for given, said in (((), "got `0` (hosts.yml, line 3)"), (("openhands_port",), "got `0`")):
        with pytest.raises(SettingsError) as caught:
            read_noted(fleet, notes, given)
        assert str(caught.value).endswith(said)
