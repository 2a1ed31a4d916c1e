"""Confirmations of changes that a host would revert, over real SSH connections. systemd is a stand-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.checkout import ROOT
from tests.helpers.executing import executing_hosts

# in a process of its own, as a run is: gevent patches it whole
PROGRAM = """
import json, sys
from pathlib import Path
from fleethands.engine import confirmations
from fleethands.engine.engine import Engine
from fleethands.operations.core import lock_token
from fleethands.operations.core.confirmation_key import key_for_scripts
from fleethands.operations.firewall.revert import Unconfirmed
from fleethands.script import Script
from tests.unit.operations.firewall.on_host import PLACES, STAND_INS, TOKEN, moved

# a login that prints text without a line end, and sudo's warning
LOGIN = f"where={Path.cwd()}; printf Welcome; echo 'sudo: unable to resolve host one' >&2{STAND_INS}"
for place in PLACES:
    Path(f"{Path.cwd()}{place}").mkdir(parents=True, exist_ok=True)
armed = Path(f"{Path.cwd()}/var/lib/fleethands/revert/armed")
armed.parent.mkdir(exist_ok=True)
armed.write_text(f"{TOKEN}\\n")

class Below(Unconfirmed):
    @property
    def confirmation(self):
        script = super().confirmation
        values = {name: moved(Path.cwd(), each) for name, each in script.values.items()}
        return Script(LOGIN + moved(Path.cwd(), script.body), values)

confirmations.Unconfirmed = Below
engine = Engine.load(sys.argv[1], Path.cwd(), {"openhands_flavor": "off", "models": ["codellama:7b"]})
engine.connect()
(host,) = engine.hosts
lock_token.set_token(host, "1a2b3c4d")
asked, key = engine.monitor.confirmations, key_for_scripts(host)

def on_line(key, token=TOKEN, delay=5):
    asked.on_line(host.name, f"confirm: {key} {token} {delay}")
    for attempt in asked._attempts.get(host.name, []):
        attempt.join()

def show(**found):
    print(json.dumps({**found, "armed": armed.exists(), "failures": asked.failures}), flush=True)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if os.geteuid():
        pytest.skip("the hosts of this test run commands as root")
    directory = tmp_path_factory.mktemp("fleet")
    (directory / "local.py").write_text("boxes = ['@local']\n")
    with executing_hosts(directory, one={"CODE": "0"}):
        yield directory


def ran(place: Path, program: str, inventory: str = "fleet.py") -> Any:
    done = subprocess.run(
        [sys.executable, "-c", f"{PROGRAM}\n{program}", inventory],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(place)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def test_what_a_login_prints_does_not_hide_the_reply(place: Path) -> None:
    found = ran(place, "on_line(key)\nshow(commands=engine.monitor.commands)")

    assert found == {"commands": {"one": 1}, "armed": False, "failures": {}}


def test_a_host_that_has_reverted_the_change_says_that_it_is_too_late(place: Path) -> None:
    found = ran(place, "on_line(key, 'f' * 16)\nshow()")

    assert found == {"armed": True, "failures": {"one": "it came too late"}}


def test_lines_of_other_programs_confirm_nothing_and_use_nothing_up(place: Path) -> None:
    program = """
for number in range(30):
    on_line("8899aabbccddeeff")
asked.on_line("other", f"confirm: {key} {TOKEN} 5")
before = dict(engine.monitor.commands), armed.exists()
on_line(key)
show(before=before)
"""

    assert ran(place, program) == {"before": [{}, True], "armed": False, "failures": {}}


def test_any_error_of_the_new_connection_is_a_reason(place: Path) -> None:
    """A hostile server makes paramiko's parsers raise. Here it is a TypeError, by an option that paramiko lacks."""
    program = """
host.data.ssh_paramiko_connect_kwargs = {"no_such_option": 1}
on_line(key, delay=1)
show()
"""
    found = ran(place, program)

    assert found["armed"]
    assert "no_such_option" in found["failures"]["one"]


@pytest.mark.parametrize(("inventory", "length"), [("local.py", 0), ("fleet.py", 16)])
def test_only_a_host_with_ssh_and_a_lock_has_a_key(place: Path, inventory: str, length: int) -> None:
    program = "lock_token.set_token(host, '')\nshow(key=key, without=key_for_scripts(host))"

    found = ran(place, program, inventory)

    assert (len(found["key"]), found["without"]) == (length, "")
