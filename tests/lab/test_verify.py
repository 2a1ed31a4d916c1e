"""`fleethands verify`: the proof alone, made anew each time, and nothing else on the host touched."""

from __future__ import annotations

from tests.lab import observe
from tests.lab.fleet import fleethands
from tests.lab.host import Host


def listing(host: Host) -> list[str]:
    """Every file but the proof's own record."""
    return [line for line in observe.listing(host).splitlines() if not line.startswith("/var/lib/fleethands")]


def test_every_link_is_tried_anew_and_nothing_else_changes(converged: Host) -> None:
    before, files = observe.identity(converged), listing(converged)
    asked = int(converged.run("journalctl -u ollama -o cat | grep -c /api/generate").stdout)

    code, done = fleethands("verify")

    host = done["hosts"]["lab-1"]
    assert (code, done["result"], host["changes"]) == (0, "unchanged", [])
    assert [link["link"] for link in host["proof"] if link["ok"]] == [*observe.LINKS, *observe.OUTSIDE]
    assert int(converged.run("journalctl -u ollama -o cat | grep -c /api/generate").stdout) == asked + 3
    assert (observe.identity(converged), listing(converged)) == (before, files)
    assert observe.leftovers(converged) == []


def test_a_link_that_breaks_from_outside_alone_fails_the_proof_and_voids_it(converged: Host) -> None:
    converged.run("nft delete table inet fleethands")

    code, done = fleethands("verify")

    host = done["hosts"]["lab-1"]
    assert (code, host["status"]) == (1, "failed")
    assert [link["link"] for link in host["proof"] if not link["ok"]] == ["closed-from-outside"]
    assert f"{converged.address} port 11434 answers" in host["reason"]
    assert host["hints"] == ["on this machine: fleethands apply inventory/lab.py --hosts lab-1"]
    assert fleethands("apply")[0] == 0
    assert fleethands("plan")[0] == 0
