"""A sequence over a real SSH connection: results as they come, a failure, a stop, and a controller that goes away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.checkout import ROOT
from tests.helpers.executing import executing_hosts

# in a process of its own, as a run is: gevent patches it whole
PROGRAM = """
import fcntl, json, os, sys, time
from pathlib import Path
from fleethands.engine.engine import Engine
from fleethands.facts.probe_request import ProbeRequest
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.core.sequence import Sequence, Step
from fleethands.script import Script

LOCK = f"{Path.cwd()}/lock"
held = open(LOCK, "w")
fcntl.flock(held, fcntl.LOCK_EX)
engine = Engine.load(sys.argv[1], Path.cwd(), {"openhands_flavor": "off", "models": ["codellama:7b"]})
request = ProbeRequest.create(engine.settings()["one"], upstream=False)
engine.connect()
host, begun = engine.host("one"), time.monotonic()

def send(*scripts, arguments={}):  # to `host`
    names = [f"operation-{number}" for number in range(1, len(scripts) + 1)]
    decisions = {name: Unchanged("") for name in names}
    sequence = Sequence(decisions, [Step(*each) for each in zip(names, scripts)], request, LOCK)
    sequence.begin(host, arguments)
    return sequence

def result(sequence):
    succeeded, output = sequence.next_result()
    return succeeded, output.output_lines, round(time.monotonic() - begun, 1)

def show(**found):
    print(json.dumps({**found, "commands": engine.monitor.commands["one"]}), flush=True)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if os.geteuid():
        pytest.skip("the hosts of this test run commands as root")
    directory = tmp_path_factory.mktemp("fleet")
    with executing_hosts(directory, one={}, two={}, three={}):
        yield directory


def begin(place: Path, program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"{PROGRAM}\n{program}", "fleet.py"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(place)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(place: Path, program: str) -> Any:
    process = begin(place, program)
    out, err = process.communicate(timeout=120)
    assert out, err
    return json.loads(out)


def test_each_result_comes_when_its_script_ends_and_the_probe_after_them(place: Path) -> None:
    found = ran(
        place,
        """
sequence = send("echo one", "sleep 2; echo two >&2")
assert sequence.probe(request) is None  # its scripts have not ended
first, second = result(sequence), result(sequence)
other = ProbeRequest.create(engine.settings()["one"], upstream=True)
assert sequence.probe(other) is None
show(first=first, second=second, probe=sequence.probe(request).system.arch, again=sequence.probe(request))
""",
    )

    assert found["first"][:2] == [True, ["one"]]
    assert found["second"][:2] == [True, ["two"]]
    assert found["second"][2] - found["first"][2] >= 1.5
    assert found["probe"]
    assert (found["again"], found["commands"]) == (None, 1)


def test_a_script_that_fails_is_the_last_one(place: Path) -> None:
    found = ran(
        place,
        """
sequence = send("echo 'error: it broke' >&2; exit 3", f"touch {Path.cwd()}/here")
show(result=result(sequence), probe=sequence.probe(request), here=os.path.exists("here"))
""",
    )

    assert found["result"][:2] == [False, ["error: it broke"]]
    assert (found["probe"], found["here"]) == (None, False)


def test_a_stop_before_the_text_has_arrived_is_no_part_of_it_and_is_not_lost(place: Path) -> None:
    found = ran(
        place,
        """
import gevent
found = []
for pause in (None, 0.05):  # before the command has begun; while its text fills the window, which is 2 MiB
    sequence = send(f"x='{'x' * 3_000_000}'; echo ${{#x}}; sleep 3", "echo two")
    if pause:
        gevent.sleep(pause)
    sequence.stop()
    found.append([result(sequence)[:2], sequence.has_begun("operation-2"), sequence.next_result()])
show(found=found)
""",
    )

    assert found["found"] == [[[True, ["3000000"]], False, None]] * 2


def test_a_host_that_takes_no_byte_does_not_keep_others_from_their_stop(place: Path) -> None:
    found = ran(
        place,
        """
import gevent
from fleethands.engine.host_executor import HostExecutor
from fleethands.facts.host_session import session_of

hosts = [engine.host(name) for name in ("one", "two", "three")]
sequences = []
for host in hosts:
    sequences.append(send("sleep 3; echo one", "echo two"))
    session_of(host).sequence = sequences[-1]
for sequence in sequences:
    sequence._wait(lambda: sequence._output.begun > 0)
full, busy, _ = [sequence._input._channel for sequence in sequences]
full.out_window_size = 0
busy.transport.clear_to_send.clear()  # the host began a key exchange, and goes no further
busy.transport.clear_to_send_timeout = 1
executor = HostExecutor(engine.state, engine.connections)
executor._at_work.update(hosts)
begun = time.monotonic()
executor.stop()
took = time.monotonic() - begun
ends = [sequence.next_result() and sequence.next_result() for sequence in sequences]
show(took=took, ends=[end and end[1].output_lines for end in ends])
""",
    )

    assert found["took"] < 0.5
    assert found["ends"] == [["two"], ["two"], None]


def test_an_operation_is_completed_after_a_stop_between_its_scripts(place: Path) -> None:
    found = ran(
        place,
        """
import gevent
from fleethands.operations.core.step_command import StepCommand
from fleethands.facts.host_session import session_of

scripts = ["sleep 2; echo one", "echo two", "echo three"]
sequence = Sequence({"a": Unchanged("")}, [Step("a", script) for script in scripts], request, LOCK)

def execute(script):
    succeeded, output = StepCommand(script, lambda: sequence).execute(engine.state, host, {})
    return succeeded, output.output_lines, engine.monitor.commands["one"]

gevent.spawn_later(0.5, session_of(host).stop)
results = [execute(script) for script in scripts]
show(results=results, after=execute("echo after"))  # a stop is remembered: this script begins no sequence
""",
    )

    assert found["results"] == [[True, ["one"], 1], [True, ["two"], 2], [True, ["three"], 3]]
    assert found["after"] == [True, ["after"], 4]


def test_no_sequence_stays_in_memory(place: Path) -> None:
    found = ran(
        place,
        """
import gc, gevent, weakref
kept = []
for _ in range(3):
    sequence = send("echo one")
    sequence.probe(request) if result(sequence)[0] else None
    kept.append(weakref.ref(sequence))
del sequence
gevent.sleep(0.2)  # the last of its greenlets ends
gc.collect()
show(left=sum(ref() is not None for ref in kept))
""",
    )

    assert found["left"] == 0


def test_a_stop_lets_the_host_finish_its_script(place: Path) -> None:
    found = ran(
        place,
        """
import gevent
sequence = send("echo one", "sleep 2; echo two", "echo three")
first = result(sequence)
gevent.sleep(0.5)
sequence.stop()
begun_before = sequence.has_begun("operation-2")
second = result(sequence)
show(first=first, begun=begun_before, second=second, third=sequence.has_begun("operation-3"))
""",
    )

    assert (found["first"][1], found["begun"]) == (["one"], True)
    assert (found["second"][:2], found["third"]) == ([True, ["two"]], False)


def test_a_lost_lock_is_the_reason_of_the_next_script(place: Path) -> None:
    found = ran(
        place,
        """
sequence = send("echo one; sleep 1", "echo two")
fcntl.flock(held, fcntl.LOCK_UN)
show(first=result(sequence), second=result(sequence))
""",
    )

    assert found["first"][:2] == [True, ["one"]]
    assert found["second"][0] is False
    assert found["second"][1][0] == "error: the lock of this host ended before this step"


def test_a_host_that_ends_at_once_or_floods_fails_its_script(place: Path) -> None:
    found = ran(
        place,
        """
mark = f"{request.mark}."  # a hostile host knows it
ended = send("echo before; kill -KILL $PPID")
first = result(ended)
flood = send(f"printf '{mark} end 1 0\\n{mark} end 2 0\\n'", "echo never")  # one write
second = result(flood)
endless = send("yes", arguments={"_timeout": 60})
try:
    third = result(endless)
except Exception as error:
    third = str(error)
show(first=first, second=second, third=third)
""",
    )

    assert found["first"][0] is False
    assert "before" in found["first"][1]
    assert found["second"][0] is False
    assert found["second"][1] == ["error: the host mixed up the results of its steps"]
    assert "it sent more than" in found["third"]


def test_a_controller_that_is_killed_leaves_the_rest_undone(place: Path) -> None:
    steps = [f"cd {place}; touch first; sleep 2; touch second", f"cd {place}; touch third"]
    process = begin(place, f"sequence = send(*{steps!r})\nresult(sequence)")
    deadline = time.monotonic() + 60
    while not (place / "first").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    time.sleep(4)

    assert [(place / name).exists() for name in ("first", "second", "third")] == [True, True, False]
