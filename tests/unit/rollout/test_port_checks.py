"""When the ports of a host are tried, by the operations of a real run on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.helpers.checkout import ROOT

# in a process of its own, because pyinfra patches the standard library
PROGRAM = """
import json, sys
import pyinfra_cli.util  # patches the standard library
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops
from pyinfra.api.state import StateStage
from pyinfra.operations import server
from fleethands.facts.host_session import session_of
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.core.journal import JournalEntry
from fleethands.rollout.port_checks import PortChecks
from fleethands.script import Script
from tests.hosts import bare, declared

planned, command = sys.argv[1:]
state = State(Inventory((["@local"], {})), Config())
state.set_stage(StateStage.Connect)
connect_all(state)
state.set_stage(StateStage.Prepare)
(host,) = state.inventory
proof = "Proof | Get an answer to a prompt"
change = Change("proof", "unproven", "proven", Script("true"))
session = session_of(host)
session.decisions.append(JournalEntry(proof, change if planned == "proof" else Unchanged("proven"), False))
session.probes.get(declared(), lambda _: bare(declared()), executing=False)
add_op(state, server.shell, name=proof, commands=["true"])
add_op(state, server.shell, name="Firewall | Close the declared ports", commands=[command] if command else [])
checks = PortChecks()
state.add_callback_handler(checks)
state.set_stage(StateStage.Execute)
run_ops(state)
print(json.dumps(checks.links("@local")))
"""


@pytest.mark.parametrize(
    ("planned", "command", "links"),
    [
        ("proof", "", []),  # tried during the proof. This machine has no port to try, because it is not behind SSH.
        ("proof", "true", None),  # the table that was tried is gone
        ("nothing", "", None),
    ],
)
def test_ports_that_were_tried_count_for_the_firewall_as_it_was_then(planned: str, command: str, links: Any) -> None:
    words = [sys.executable, "-c", PROGRAM, planned, command]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert json.loads(done.stdout or json.dumps(done.stderr)) == links
