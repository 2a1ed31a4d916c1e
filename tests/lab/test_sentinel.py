"""The sentinel of a real host: it proves alone, and reports a break and its healing once."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.webhooks import Receiver, receiving
from tests.lab import fleet, observe
from tests.lab.flavors import answers
from tests.lab.fleet import changes
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET
from tests.lab.shell import run
from tests.lab.test_broken_ways import WAYS

KEY = "correct horse battery staple"
SERVICE = "fleethands-sentinel.service"
WATCH = "Sentinel | Make the proof by a timer"
PROVE = "Proof | Get an answer to a prompt"
INVENTORY = """
import runpy
from fleethands.settings import Secret
known = {data!r}
if known.get("sentinel"):
    known |= {{"sentinel_webhook": {url!r}, "sentinel_key": Secret.env("SENTINEL_KEY")}}
lab = [(name, {{**data, **known}}) for name, data in runpy.run_path("inventory/lab.py")["lab"] if name == "lab-1"]
"""
LEFT = "ls -d /etc/fleethands/sentinel /var/lib/fleethands/sentinel /etc/systemd/system/{*/,}*sentinel*"


@dataclass
class Watched:
    """lab-1 with a sentinel, and the server that it reports to."""

    host: Host
    receiver: Receiver
    place: Path
    data: dict[str, Any]

    def fleethands(self, command: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """Exit code and document of a command, with these settings."""
        done = self.say(command, "--json", **more)
        return done.returncode, json.loads(done.stdout)

    def say(self, command: str, *words: str, **more: Any) -> Any:
        inventory = self.place / "lab.py"
        inventory.write_text(INVENTORY.format(data={"sentinel": True, **self.data, **more}, url=self.receiver.url))
        yes = [] if command in fleet.READERS else ["--yes"]
        line = [str(fleet.FLEETHANDS), command, str(inventory), *words, *yes]
        return run(*line, cwd=fleet.ROOT, check=False, timeout=500, env={**os.environ, "SENTINEL_KEY": KEY})

    def apply(self, **more: Any) -> list[str]:
        """The changes of an apply that succeeds."""
        code, done = self.fleethands("apply", **more)
        assert code == 0, fleet.trouble(done)
        return changes(done)

    def prove(self) -> list[tuple[str, str]]:
        """Events that one proof of the timer's service adds."""
        before = len(self.receiver.bodies)
        self.host.run(f"systemctl start {SERVICE}", timeout=600)
        return [(each["event"], each["link"]) for each in self.receiver.events[before:]]

    @property
    def journal(self) -> str:
        return self.host.run("journalctl -t fleethands-sentinel -o cat --no-pager").stdout


@pytest.fixture
def receiver(lab: Lab) -> Iterator[Receiver]:
    with receiving(lab.gateway) as found:
        yield found


def watch(host: Host, receiver: Receiver, place: Path, **data: Any) -> Watched:
    watched = Watched(host, receiver, place, data)
    assert watched.apply() == [WATCH]
    return watched


def test_a_break_and_its_healing_are_reported_once(serving: Host, receiver: Receiver, tmp_path: Path) -> None:
    watched = watch(serving, receiver, tmp_path, **QUIET)
    assert changes(watched.fleethands("plan")[1]) == []
    assert watched.prove() == []
    assert (watched.fleethands("plan")[0], observe.proven(serving, observe.OLLAMA_LINKS)) == (0, True)
    assert "ok at 20" in watched.say("status").stdout
    serving.run("systemctl stop ollama")
    receiver.statuses = [503, 503, 503, 503, 503]

    assert watched.prove() == []  # the server failed, so the webhook is kept
    assert watched.prove() == [("broken", "list")]
    assert watched.prove() == []

    code, status = watched.fleethands("status")
    found = status["hosts"]["lab-1"]["facts"]["sentinel"]
    assert (code, found["ok"], found["link"]) == (2, False, "list")
    assert found["hint"] == "on this machine: fleethands apply"
    assert "broken since" in watched.say("status").stdout
    assert PROVE in changes(watched.fleethands("plan")[1])
    serving.run("systemctl start ollama; until curl -fs localhost:11434; do sleep 0.1; done")
    assert watched.prove() == [("healed", "list")]
    assert watched.prove() == []
    assert watched.fleethands("plan")[0] == 0
    assert receiver.is_signed_with(KEY)
    (broken, healed) = receiver.events
    assert (broken["host"], broken["schema"], healed["since"]) == ("lab-1", 1, broken["since"])
    assert "connection refused: nothing listens on port 11434, ollama.service is inactive" in broken["reason"]
    told = serving.run("journalctl -t fleethands-sentinel -p notice -o cat --no-pager").stdout.splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "broken", "the webhook is kept, because its server did not take it", "healed",
    ]  # fmt: skip
    assert KEY not in watched.journal + serving.run("cat /var/lib/fleethands/record.json").stdout


def test_its_settings_change_it_alone_and_nothing_of_it_stays(
    serving: Host, receiver: Receiver, tmp_path: Path
) -> None:
    before = serving.run("ls -A /etc/systemd/system /etc/fleethands /var/lib/fleethands /run/fleethands").stdout
    watched = watch(serving, receiver, tmp_path, **QUIET)
    assert watched.apply(sentinel_at="13:30") == [WATCH]
    timer = serving.run("systemctl show fleethands-sentinel.timer -p TimersCalendar -p ActiveState").stdout
    assert "13:30:00" in timer
    assert "ActiveState=active" in timer
    assert serving.run("stat -c %a:%U /etc/fleethands/sentinel/*.env").stdout == "600:root\n"
    watched.prove()
    serving.run("echo >>/etc/fleethands/sentinel/proof-*.sh")
    assert watched.prove() == [("broken", "proof")]
    assert changes(watched.fleethands("plan", sentinel_at="13:30")[1]) == [PROVE, WATCH]
    assert watched.apply(sentinel_at="13:30") == [PROVE, WATCH]
    assert watched.prove() == [("healed", "proof")]

    assert watched.apply(sentinel=False) == ["Sentinel | Remove the timer"]

    assert watched.fleethands("plan", sentinel=False)[0] == 0
    after = serving.run("ls -A /etc/systemd/system /etc/fleethands /var/lib/fleethands /run/fleethands").stdout
    assert set(after.split()) - set(before.split()) <= {"record-1.json", "lock", "lock.step", "turn"}
    assert serving.run(f"bash -c '{LEFT}'", check=False).stdout == ""
    assert "sentinel" not in serving.run("systemctl list-units --all --plain; systemctl list-unit-files").stdout


def test_a_run_that_begins_meanwhile_goes_first(serving: Host, receiver: Receiver, tmp_path: Path) -> None:
    watched = watch(serving, receiver, tmp_path, **QUIET)
    serving.run("systemctl stop ollama; systemd-run --quiet --unit dumb systemd-socket-activate -a -l 11434 sleep 600")
    proof = threading.Thread(target=watched.prove)
    proof.start()  # its first link waits for an answer
    time.sleep(2)
    begun = time.monotonic()

    serving.run("exec 9>>/run/fleethands/lock.step; flock -w 60 9", timeout=70)

    assert time.monotonic() - begun < 10
    proof.join()
    serving.run("systemctl stop dumb; systemctl start ollama")
    assert receiver.bodies == []
    assert "the proof was stopped: a run wants to change this host" in watched.journal


def test_a_locked_host_lets_it_start_as_often_as_a_person_likes(
    serving: Host, receiver: Receiver, tmp_path: Path
) -> None:
    watched = watch(serving, receiver, tmp_path, **QUIET)
    code, said = fleet.typed("fleethands lock acquire inventory/lab.py --hosts lab-1 --reason test")
    assert code == 0, said

    serving.run(f"for i in 1 2 3 4 5 6 7 8; do systemctl start {SERVICE} || exit 1; done")

    assert watched.journal.count("no proof is made: this host is locked") == 8
    assert receiver.bodies == []


def test_it_starts_by_itself_after_a_boot(serving: Host, receiver: Receiver, tmp_path: Path) -> None:
    watched = watch(serving, receiver, tmp_path, **QUIET)
    drop_ins = "/etc/systemd/system/fleethands-sentinel.timer.d"
    text = "[Timer]\\nOnBootSec=\\nOnBootSec=20s\\nAccuracySec=1s\\nRandomizedDelaySec=0\\n"
    serving.run(f"mkdir -p {drop_ins} && printf '{text}' > {drop_ins}/soon.conf")

    serving.reboot()

    serving.run(
        "until journalctl -b -t fleethands-sentinel -o cat | grep -x 'all links hold'; do sleep 0.5; done", timeout=120
    )
    assert watched.receiver.bodies == []


@pytest.mark.soak
@pytest.mark.parametrize("name", WAYS)
def test_each_broken_way_is_reported_once(
    request: pytest.FixtureRequest, receiver: Receiver, tmp_path: Path, name: str
) -> None:
    way = WAYS[name]
    host = request.getfixturevalue("v1" if way.data else "converged")
    answers(host, "localhost:3000/ready" if way.data else "localhost:3000/health")
    watched = watch(host, receiver, tmp_path, **way.data)
    assert watched.prove() == [], watched.journal
    host.run(way.how, timeout=120)

    assert watched.prove() == [("broken", way.link)], watched.journal
    assert watched.prove() == [], watched.journal

    planned = watched.fleethands("plan")[1]
    if way.refused:
        assert planned["hosts"]["lab-1"]["status"] == "refused", planned
        assert planned["hosts"]["lab-1"]["reason"].startswith(way.refused)
    else:
        assert PROVE in changes(planned), fleet.trouble(planned)
    hint = receiver.events[0]["hint"]
    place, _, command = hint.partition(": ")
    if place == "on the host":
        host.run(command, timeout=120)
    else:
        assert place == "on this machine"
        watched.apply(
            **({"openhands_settings": "enforced"} if "enforced" in command else {}),
            **({"openhands_adopt": True} if "adopt" in command else {}),
        )
    answers(host, "localhost:3000/ready" if way.data else "localhost:3000/health")
    assert watched.prove() == [("healed", way.link)], watched.journal
    assert watched.prove() == []
    assert receiver.is_signed_with(KEY)
