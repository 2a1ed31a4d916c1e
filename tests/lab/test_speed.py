"""The proof measures the speed, the record keeps it, and a rollout with a limit stops at a slower host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleethands.facts.record import Record
from fleethands.paths import CURRENT_RECORD
from fleethands.speed import Speed
from tests.lab import observe, slow_release
from tests.lab.fleet import fleethands, say, trouble
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET, all_proven, brought, statuses

LIMIT = ("--canary", "1", "--max-slowdown", "20%")
FIGURES = re.compile(r"([\d.]+) tokens/s, ([\d.]+) before \(-(\d+) % ± (\d+) %\), limit 20 %; first token after ")
STATE = "measured"
TRIES = 3
STEADY = {**QUIET, "models": [slow_release.MODEL]}
# hosts of a lab share their CPUs with each other and with the tests, and hosts of a fleet do not
PREFER = """mkdir -p /etc/systemd/system/ollama.service.d
cd /etc/systemd/system/ollama.service.d
printf '[Service]\\nCPUSchedulingPolicy=rr\\nCPUSchedulingPriority=1\\n' >90-lab.conf
systemctl daemon-reload && systemctl restart ollama"""


def recorded(host: Host) -> Speed:
    """The speed in the host's release record."""
    record = Record.parse(host.run(f"cat {CURRENT_RECORD}").stdout.encode())
    assert record is not None
    assert record.speed is not None
    return record.speed


@pytest.fixture(scope="module")
def measured_state(lab: Lab, quiet_state: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A proven host whose Ollama does not wait for other work, and whose own mirror has a slow release."""
    host = lab["lab-1"]
    host.restore(quiet_state)
    work = tmp_path_factory.mktemp("slow")
    slow_release.offer(host, work)
    slow_release.make_model(host, work)
    host.run(PREFER)
    # with a limit, so that a busy moment does not shorten the series
    code, done = fleethands("apply", "--verify", "always", "--max-slowdown", "20%", **STEADY)
    assert code == 0, trouble(done)
    host.save(STATE)
    yield STATE
    lab.drop_state(STATE)


def is_busy(document: dict[str, Any]) -> bool:
    """Other work on this machine made the speed of lab-1 a matter of chance."""
    return any("other work kept Ollama waiting" in note for note in document["hosts"]["lab-1"]["notes"])


def try_slow_release(lab: Lab, count: int, state: str, report: Path) -> None:
    """The canary fails with the figures and is rolled back, and no other host is touched."""
    pattern = "*" if count > 9 else f"lab-[1-{count}]"
    mirror = {"ollama_version": slow_release.VERSION, "ollama_url": f"file://{slow_release.MIRROR}"}
    for _ in range(TRIES):
        hosts = brought(lab, count, state)
        others = {name: observe.process(host) for name, host in hosts.items() if name != "lab-1"}
        speed = recorded(hosts["lab-1"])
        code, done = fleethands(
            "apply", *LIMIT, "--report", str(report), hosts=pattern, timeout=600, **mirror, **STEADY
        )
        if not is_busy(done):
            break

    print(json.dumps(done["hosts"]["lab-1"]["proof"]), trouble(done))
    assert code == 1, done["hosts"]["lab-1"]["notes"]
    assert statuses(done) == {"lab-1": "rolled-back", **dict.fromkeys(others, "not-run")}, trouble(done)
    start, _, why = done["hosts"]["lab-1"]["reason"].partition(": speed: ")
    assert start == "Proof | Get an answer to a prompt"
    figures = FIGURES.match(why)
    assert figures, why
    after, before, slowdown = (float(figures[number]) for number in (1, 2, 3))
    assert slowdown == pytest.approx(100 * (1 - after / before), abs=1), why
    assert slowdown >= 35, why  # at half the speed; a busy machine makes it more
    again = recorded(hosts["lab-1"])  # the proof of a rollback has no limit, so a busy host gives one answer
    assert again.answers < 3 or again.before == pytest.approx(speed.tokens_per_second, abs=0.01)
    assert hosts["lab-1"].run("curl -fsS localhost:11434/api/version").stdout == '{"version":"0.24.0"}'
    assert {done["hosts"][name]["remote_commands"] for name in others} == {2}  # the probe and the lock
    assert "the canary failed: lab-1" in done["hosts"]["lab-2"]["reason"]
    assert {name: observe.process(hosts[name]) for name in others} == others
    assert all_proven(hosts.values())
    assert why.split(";")[0] in (report / "report.html").read_text()


def test_a_release_at_half_the_speed_stops_at_the_canary(lab: Lab, measured_state: str, tmp_path: Path) -> None:
    try_slow_release(lab, 3, measured_state, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_release_at_half_the_speed_reaches_one_host_of_twelve(lab: Lab, measured_state: str, tmp_path: Path) -> None:
    try_slow_release(lab, 12, measured_state, tmp_path)
    lab.trim(3)


def apply_again(times: int, **data: Any) -> list[Speed]:
    """Apply the same speed again and again, each time with a restart of Ollama. None may fail."""
    found = []
    for number in range(times):
        code, done = fleethands("apply", "--max-slowdown", "20%", ollama_keep_alive=f"{30 + number}m", **data)
        assert code == 0, trouble(done)
        (speed,) = [link["speed"] for link in done["hosts"]["lab-1"]["proof"] if "speed" in link]
        found.append(Speed(**speed))
        print(f"\n{json.dumps(speed)}", flush=True)
    return found


def test_the_same_speed_again_fails_no_apply(lab: Lab, measured_state: str) -> None:
    (host,) = brought(lab, 1, measured_state).values()
    first = recorded(host)

    speeds = apply_again(3, **STEADY)

    assert speeds[0].before == pytest.approx(first.tokens_per_second, abs=0.01)
    assert speeds[1].before == pytest.approx(speeds[0].tokens_per_second, abs=0.01)
    assert recorded(host) == speeds[-1]
    assert all(0 < speed.first_token_seconds < 5 for speed in speeds)
    assert all(speed.load_seconds for speed in speeds)
    assert f" {speeds[-1]} " in say("status")[1]
    table = say("history")[1]
    assert all(str(speed) in table for speed in speeds)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_same_speed_twenty_times_fails_no_apply(serving: Host) -> None:
    """On a host whose Ollama waits for other work: the speed may differ by far, and the limit must not count that."""
    assert recorded(serving)
    assert len(apply_again(20, **QUIET)) == 20


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_same_speed_twenty_times_alone_fails_no_apply(lab: Lab, measured_state: str) -> None:
    brought(lab, 1, measured_state)
    speeds = apply_again(20, **STEADY)

    assert all(speed.before for speed in speeds)
