"""Ollama through upgrades, rollbacks and bad releases: it keeps answering, and the gap is measured."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fleethands.paths import OLLAMA_OVERRIDE
from tests.lab import observe
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.internet.faults import Fault
from tests.lab.lab import Lab

LONGEST_GAP = 3000  # milliseconds
MIRROR = "/srv/mirror"
MODELS = "cd /usr/share/ollama/.ollama/models && find . -type f | sort | xargs sha256sum"
SERVE = "Ollama | Serve this revision"


def apply(**data: Any) -> tuple[int, dict[str, Any]]:
    return fleethands("apply", openhands_flavor="off", **data)


def assert_settled() -> None:
    """What failed has gone back and is proven, so that the next apply changes nothing."""
    code, again = apply()
    assert (code, changes(again)) == (0, []), again


@contextmanager
def asked_every_50_ms(host: Host) -> Iterator[list[int]]:
    """A client on the host that asks for the version; afterwards the list holds its longest gap in milliseconds."""
    ask = "while :; do curl -fs -m 1 -o /dev/null localhost:11434/api/version && date +%s%3N; sleep 0.05; done"
    host.run(f"systemd-run -q --unit client -p StandardOutput=truncate:/run/client.log sh -c '{ask}'")
    host.run("until [ -s /run/client.log ]; do sleep 0.02; done", timeout=10)
    found: list[int] = []
    yield found
    host.run("systemctl stop client")
    times = [int(line) for line in host.run("cat /run/client.log").stdout.split()]
    found.append(max(after - before for before, after in itertools.pairwise(times)))


def version(host: Host) -> str:
    return str(json.loads(host.run("curl -fsS localhost:11434/api/version").stdout)["version"])


def offer(host: Host, number: str, serve: str) -> dict[str, Any]:
    """A release made for a test, on a mirror of the host's own: it says its version; `serve` is what it does then."""
    binary = f'#!/bin/sh\ncase $1 in --version) echo "ollama version is {number}" ;; *) {serve} ;; esac\n'
    place = f"{MIRROR}/v{number}"
    host.run(f"mkdir -p {place}/tree/bin && cat > {place}/tree/bin/ollama", stdin=binary.encode())
    host.run(f"cd {place} && tar --zstd -cf ollama-linux-amd64.tar.zst -C tree bin && rm -r tree")
    host.run(f"cd {place} && sha256sum ./ollama-linux-amd64.tar.zst > sha256sum.txt")
    return {"ollama_version": number, "ollama_url": f"file://{MIRROR}"}


def test_up_and_back_with_a_client_that_notices_only_the_restart(lab: Lab, serving: Host) -> None:
    models = serving.run(MODELS).stdout
    asked = len(lab.internet.requests())

    with asked_every_50_ms(serving) as gap:
        code, up = apply(ollama_version="0.24.1")
    assert (code, version(serving)) == (0, "0.24.1"), up
    with lab.internet.fault(Fault(status=500), "archive:0.24.0"), asked_every_50_ms(serving) as gap_back:
        code, down = fleethands("rollback", openhands_flavor="off")

    assert (code, version(serving)) == (0, "0.24.0"), down
    assert observe.streamed_tokens(serving) > 1
    print(f"longest gap: {gap[0]} ms up, {gap_back[0]} ms back; {up['hosts']['lab-1']['notes']}")
    assert max(*gap, *gap_back) < LONGEST_GAP
    assert any("0.24.1 answers " in note for note in up["hosts"]["lab-1"]["notes"])
    assert serving.run(MODELS).stdout == models
    assert not [each for each in lab.internet.requests()[asked:] if "/blobs/" in str(each)]
    assert_settled()


BAD = {
    "exits at its start": ("echo Error: no such thing >&2; exit 1", "does not stay up: Error: no such thing"),
    "hangs": ("exec sleep 1000", "hangs: nothing listens at http://127.0.0.1:11434 after 20 s"),
}


@pytest.mark.parametrize("bad", [BAD["exits at its start"], pytest.param(BAD["hangs"], marks=pytest.mark.soak)])
def test_a_release_that_does_not_serve_gives_way_to_the_one_before(serving: Host, bad: tuple[str, str]) -> None:
    serve, reason = bad
    wanted = offer(serving, "0.24.9", serve)

    code, failed = apply(**wanted)

    assert code == 1
    assert (
        failed["hosts"]["lab-1"]["reason"] == f"{SERVE}: Ollama 0.24.9 {reason}; Ollama 0.24.0 serves again as before"
    )
    assert "last lines of its journal:" in failed["hosts"]["lab-1"]["log"]
    assert version(serving) == "0.24.0"
    assert observe.streamed_tokens(serving) > 1
    assert_settled()


@pytest.mark.soak
def test_a_value_that_ollama_can_not_start_with_is_rolled_back(serving: Host) -> None:
    address = "192.0.2.1:11434"  # not an address of the host: Ollama can't bind it

    code, failed = apply(ollama_host=address)

    assert code == 1
    assert "Ollama 0.24.0 does not stay up: Error: listen tcp 192.0.2.1:11434: " in failed["hosts"]["lab-1"]["reason"]
    assert failed["hosts"]["lab-1"]["reason"].endswith("; Ollama 0.24.0 serves again as before")
    assert version(serving) == "0.24.0"
    assert_settled()


@pytest.mark.soak
def test_what_stands_in_its_way_is_healed(serving: Host) -> None:
    """A crash loop, and what systemd has given up on."""
    by_hand = "Environment=OLLAMA_ORIGINS=null"  # it panics at it
    serving.run(f"echo {by_hand} >> {OLLAMA_OVERRIDE}; systemctl daemon-reload; systemctl restart ollama")
    serving.run("until [ $(systemctl show ollama -p NRestarts --value) -ge 2 ]; do sleep 0.2; done", timeout=30)

    plans = [fleethands("plan", openhands_flavor="off")[1] for _ in range(3)]  # one may see it in its short life
    code, healed = apply()

    named = re.compile(r"it does not run \(activating: exit-code, restarted \d+ times\)")
    assert [plan for plan in plans if named.fullmatch(before(plan, SERVE))], plans
    assert code == 0, healed
    assert changes(healed)[:2] == ["Ollama | Write the override", SERVE]
    assert observe.proven(serving, observe.OLLAMA_LINKS)

    serving.run("for each in 1 2 3 4 5 6 7; do systemctl restart ollama; done", check=False)
    code, healed = apply()

    assert code == 0, healed
    assert before(healed, SERVE) == "it does not run (failed: start-limit-hit)"
    assert observe.proven(serving, observe.OLLAMA_LINKS)
    code, again = apply()
    assert (code, changes(again)) == (0, [])


def before(document: dict[str, Any], operation: str) -> str:
    """What an operation of a run found."""
    found = document["hosts"]["lab-1"]["changes"]
    return next(str(each["from"]) for each in found if f"{each['task']} | {each['operation']}" == operation)


@pytest.mark.soak
def test_a_unit_that_a_person_masked_is_named(serving: Host) -> None:
    serving.run("mv /etc/systemd/system/ollama.service /root/; systemctl mask --now ollama")

    code, refused = apply()

    assert code == 1
    reason = "ollama.service is masked, by /etc/systemd/system/ollama.service"
    assert refused["hosts"]["lab-1"]["reason"].endswith(reason), refused
    assert refused["hosts"]["lab-1"]["hints"][0] == "on the host: systemctl unmask ollama"
    serving.run("systemctl unmask ollama; rm /root/ollama.service")
    code, done = apply()
    assert (code, changes(done)[:2]) == (0, ["Ollama | Write the unit", SERVE])
    code, again = apply()
    assert (code, changes(again)) == (0, [])


@pytest.mark.parametrize("fault", [pytest.param(Fault(cut=0.5), marks=pytest.mark.soak), Fault(flip=True)])
def test_a_release_that_does_not_arrive_whole_leaves_the_old_one_serving(lab: Lab, serving: Host, fault: Fault) -> None:
    identity = observe.process(serving)

    with lab.internet.fault(fault, "archive:0.24.1"):
        code, failed = apply(ollama_version="0.24.1")

    reason = failed["hosts"]["lab-1"]["reason"]
    assert (code, reason.count("\n")) == (1, 0), failed
    assert reason.startswith("Ollama | Install the pinned release: ")
    assert "ollama-linux-amd64.tar.zst" in reason
    assert not fault.flip or re.search(r"expected sha256 [0-9a-f]{64}, received [0-9a-f]{64}", reason), reason
    assert observe.process(serving) == identity
    assert_settled()
    assert observe.process(serving) == identity
    assert observe.leftovers(serving) == []


def test_a_host_that_does_not_start_it_at_boot_needs_no_restart(serving: Host) -> None:
    before = observe.process(serving)
    serving.run("systemctl disable -q ollama")

    code, done = apply()

    assert (code, changes(done, "lab-1")[0]) == (0, SERVE)
    assert observe.process(serving) == before
    assert serving.run("systemctl is-enabled ollama").stdout == "enabled\n"
    code, again = apply()
    assert (code, changes(again)) == (0, [])
