"""What the firewall's rules close while a host goes from one declaration to another."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe, network
from fleethands.facts.files import ABSENT, File
from fleethands.operations import change, firewall, proof
from fleethands.operations.change import Change, Same
from fleethands.operations.firewall import Closed
from fleethands.settings import HostSettings, SettingsError
from tasks.firewall import rules
from tests.hosts import bare, declared

V1 = {"openhands_image": "docker.openhands.dev/openhands/openhands:1.11"}
CANVAS = (3001, 8000, 11434, 18000, 18001, 18910, 18911, 18912, 18913, 19000, 19911)


def on(decide: Any, settings: HostSettings, seen: Probe) -> Probe:
    """The host after one operation."""
    decision = decide(settings, seen)
    if not isinstance(decision, Change):
        return seen
    return decision.then(seen if decision.keeps_proof else seen.with_file(paths.PROOF, ABSENT))


def closed(settings: HostSettings, seen: Probe) -> Probe:
    for operation in (firewall.written, firewall.loaded):
        seen = on(lambda *known, each=operation: each.decide(*known, render=rules), settings, seen)
    return seen


def settled(settings: HostSettings, seen: Probe) -> Probe:
    return on(lambda *known: firewall.settled.decide(*known, render=rules), settings, seen)


@pytest.mark.parametrize(
    ("before", "after", "between", "then"),
    [
        ({}, {"ollama_host": "0.0.0.0:11500"}, Closed((3000, 11434, 11500)), Closed((3000, 11500))),
        ({"openhands_port": 4000}, {}, Closed((3000, 4000, 11434)), Closed((3000, 11434))),
        ({}, {"openhands_flavor": "off"}, Closed((3000, 11434)), Closed((11434,))),
        (V1, {}, Closed((3000, 11434), True), Closed((3000, 11434))),
        ({"openhands_flavor": "source"}, {}, Closed((3000, *CANVAS)), Closed((3000, 11434))),
        ({}, {"openhands_flavor": "source"}, Closed((3000, *CANVAS)), Closed(CANVAS)),
    ],
)
def test_what_was_closed_stays_so_until_what_takes_its_place_is_proven(
    before: dict[str, Any], after: dict[str, Any], between: Closed, then: Closed
) -> None:
    old, new = declared(**before), declared(**after)
    seen = closed(new, closed(old, bare(new)))
    assert firewall.until_now(seen) == between
    assert firewall.until_now(settled(new, seen)) == between

    seen = settled(new, on(proof.answered.decide, new, seen))

    assert firewall.until_now(seen) == then
    assert proof.is_settled(new, seen)
    for operation in (firewall.written, firewall.loaded, firewall.settled):
        assert isinstance(operation.decide(new, seen, render=rules), Same)


def test_rules_that_would_close_a_way_in_are_not_written_down_as_closed() -> None:
    """What stands in the file is closed in the next run, too, whatever that one declares."""
    script = firewall.written.decide(declared(**V1), bare(), render=rules).script

    assert script.values["step"] == "firewall_write"
    assert script.values["published"] == "32768-60999"
    assert script.body.rindex("no_way_in_is_closed\n") < script.body.rindex("atomic_file")


def test_a_bridge_that_is_not_dockers_leads_to_the_outside() -> None:
    settings = declared()
    seen = bare(settings).having(firewall=network.firewall(["bridge br-wan", "bridge br-lan", "none"]))

    text = rules(settings, Closed((3000,)), seen.firewall.bridges)

    assert 'iifname "br-*" iifname != { "br-lan", "br-wan" } return' in text
    assert firewall.until_now(closed(settings, seen)).ports == (3000, 11434)
    with pytest.raises(ValueError, match="quoted"):
        network.firewall(['bridge br-"quoted"', "none"])


@pytest.mark.parametrize("content", [b"", b"\xff", b"\t\ttcp dport { 0, 99999 } jump guard\n", b"table inet x {}"])
def test_rules_that_nobody_of_ours_wrote_close_nothing(content: bytes) -> None:
    seen = bare().with_file(paths.FIREWALL_RULES, File("file", content=content))

    assert firewall.until_now(seen) == Closed()


def test_what_only_follows_from_a_proof_leaves_it_there() -> None:
    """Each of these steps is named in common.sh, which takes the proof away for all others."""
    text = change.step("firewall").body
    exempt = text[text.index("case $step in firewall_settle") :].partition(")")[0]

    assert exempt == "case $step in firewall_settle | sandboxes_off"


@pytest.mark.parametrize(
    ("sockets", "units", "refused"),
    [
        ('LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))', "", ""),
        ('LISTEN 0 128 0.0.0.0:3000 0.0.0.0:* users:(("sshd",pid=1,fd=3))', "", "3000 of 0.0.0.0"),
        ('LISTEN 0 128 127.0.0.1:3000 0.0.0.0:* users:(("sshd",pid=1,fd=3))', "", ""),
        ('LISTEN 0 128 [::]:40022 [::]:* users:(("sshd",pid=1,fd=4))', "", "40022 of ::"),
        ('LISTEN 0 128 0.0.0.0:40022 0.0.0.0:* users:(("sshd",pid=1,fd=4))', "", ""),
        ('LISTEN 0 128 *:40022 *:* users:(("sshd",pid=1,fd=4))', "", "40022 of *"),
        ('LISTEN 0 128 *:3000 *:* users:(("node",pid=1,fd=4))', "", ""),
        ("", "0.0.0.0:22 (Stream)\n[::]:40022 (Stream)\n", "40022 of ::"),
    ],
)
def test_no_port_of_sshds_is_closed(tmp_path: Path, sockets: str, units: str, refused: str) -> None:
    part = files("fleethands.operations").joinpath("scripts/table.sh").read_text()
    (tmp_path / "ss").write_text(sockets + "\n")
    (tmp_path / "units").write_text(units)
    stand_ins = f"""
        ss() {{ cat {tmp_path}/ss; }}
        systemctl() {{ cat {tmp_path}/units; }}
        stop() {{ exit 1; }}
        fail() {{ echo "$1"; exit 1; }}
        rules=r loaded=l ports='3000 11434' published=32768-60999
    """
    script = f"set -eu\n{stand_ins}\n{part}\ncame_in() {{ :; }}\nno_way_in_is_closed\n"

    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == bool(refused), done.stderr
    assert done.stdout == (f"sshd listens on port {refused}, which the firewall would close\n" if refused else "")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"firewall": False}, "Agent Canvas listens on every address"),
        ({"openhands_port": 3001}, "expected another port than Agent Canvas' own, got `3001`"),
        ({"ollama_host": "0.0.0.0:18910"}, "expected another port than Agent Canvas' own, got `18910`"),
        ({"openhands_env": {"OH_CANVAS_SAFE_VITE_PORT": "3002"}}, "expected no such variable"),
        ({"firewall": False, "openhands_bind": "0.0.0.0"}, ""),
    ],
)
def test_what_canvas_opens_without_a_container_can_not_be_left_open_unsaid(data: dict[str, Any], problem: str) -> None:
    if not problem:
        assert not declared(openhands_flavor="source", **data).firewall
        return
    with pytest.raises(SettingsError, match=problem):
        declared(openhands_flavor="source", **data)
