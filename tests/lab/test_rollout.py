"""A change goes to a fleet host by host, batch by batch, and stops itself; what breaks goes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleethands.paths import OLLAMA_OVERRIDE
from tests.lab import fleet
from tests.lab.fleet import fleethands
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET, all_proven, break_at, brought, kept_alive, mend, statuses

THREE, TWELVE = "lab-[123]", "*"
CAREFUL = ("--canary", "1", "--batch", "25%", "--max-fail", "1")


def test_a_host_that_breaks_stops_the_rollout_and_goes_back(lab: Lab, quiet_state: str, tmp_path: Path) -> None:
    hosts = brought(lab, 3, quiet_state)
    break_at(hosts["lab-2"], "2m")
    report = tmp_path / "report"

    words = ("--canary", "1", "--batch", "1", "--report", str(report))
    code, done = fleethands("apply", *words, hosts=THREE, ollama_keep_alive="2m", **QUIET)

    assert code == 1
    assert statuses(done) == {"lab-1": "changed", "lab-2": "rolled-back", "lab-3": "not-run"}
    assert done["hosts"]["lab-2"]["reason"].startswith("Proof | Get an answer to a prompt: list: ")
    assert "1 of 3 failed: lab-2" in done["hosts"]["lab-3"]["reason"]
    assert kept_alive(hosts.values()) == {"lab-1": "2m", "lab-2": None, "lab-3": None}
    assert all_proven(hosts.values())

    mend(hosts["lab-2"])
    again = ("--retry-failed", str(report))
    code, done = fleethands("apply", *again, hosts=THREE, ollama_keep_alive="2m", **QUIET)

    assert code == 0, done
    assert statuses(done) == {"lab-2": "changed", "lab-3": "changed"}
    assert fleethands("plan", hosts=THREE, ollama_keep_alive="2m", **QUIET)[0] == 0


@pytest.mark.soak
def test_a_host_that_is_done_is_let_go_while_others_are_at_work(lab: Lab, quiet_state: str) -> None:
    hosts = brought(lab, 3, quiet_state)
    process = fleet.begin("apply", "--batch", "1", hosts=THREE, ollama_keep_alive="2m", **QUIET)
    hosts["lab-3"].run(f"until grep -q 2m {OLLAMA_OVERRIDE}; do sleep 0.02; done", timeout=240)

    connections = hosts["lab-1"].run("ss -Htn state established sport = :22 | wc -l").stdout.strip()
    _, locks = fleet.typed("fleethands lock status inventory/lab.py --hosts 'lab-[13]'")
    said, _ = process.communicate(timeout=240)

    assert connections == "1"  # that of the question itself
    assert locks.splitlines()[0] == "lab-1  free"
    assert "lab-3  locked by " in locks
    assert process.returncode == 0, said
    assert fleethands("plan", hosts=THREE, ollama_keep_alive="2m", **QUIET)[0] == 0


@pytest.fixture
def twelve(lab: Lab, quiet_state: str) -> Iterator[dict[str, Host]]:
    yield brought(lab, 12, quiet_state)
    lab.trim(3)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_canary_that_breaks_keeps_a_change_from_all_others(twelve: dict[str, Host]) -> None:
    break_at(twelve["lab-1"], "2m")

    code, done = fleethands("apply", *CAREFUL, hosts=TWELVE, timeout=900, ollama_keep_alive="2m", **QUIET)

    others = [name for name in twelve if name != "lab-1"]
    assert code == 1
    assert statuses(done) == {"lab-1": "rolled-back", **dict.fromkeys(others, "not-run")}
    assert {done["hosts"][name]["remote_commands"] for name in others} == {2}  # the probe and the lock
    assert set(kept_alive(twelve.values()).values()) == {None}
    assert all_proven(twelve.values())

    mend(twelve["lab-1"])
    assert fleethands("apply", hosts=TWELVE, timeout=900, ollama_keep_alive="2m", **QUIET)[0] == 0
    assert set(kept_alive(twelve.values()).values()) == {"2m"}
    assert fleethands("plan", hosts=TWELVE, ollama_keep_alive="2m", **QUIET)[0] == 0


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_seventh_host_that_breaks_ends_the_rollout_after_its_batch(twelve: dict[str, Host]) -> None:
    break_at(twelve["lab-7"], "3m")

    code, done = fleethands("apply", *CAREFUL, hosts=TWELVE, timeout=900, ollama_keep_alive="3m", **QUIET)

    # the canary lab-1, then 2 to 4, then 5 to 7
    changed = {f"lab-{number}": "changed" for number in (1, 2, 3, 4, 5, 6)}
    left = {f"lab-{number}": "not-run" for number in range(8, 13)}
    assert code == 1
    assert statuses(done) == {**changed, "lab-7": "rolled-back", **left}
    assert kept_alive(twelve.values()) == {
        **dict.fromkeys(changed, "3m"),
        **dict.fromkeys(("lab-7", *left)),
    }
    assert all_proven(twelve.values())

    mend(twelve["lab-7"])
    assert fleethands("apply", hosts=TWELVE, timeout=900, ollama_keep_alive="3m", **QUIET)[0] == 0
    assert fleethands("plan", hosts=TWELVE, ollama_keep_alive="3m", **QUIET)[0] == 0
