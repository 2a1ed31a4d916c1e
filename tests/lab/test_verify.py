"""`fleethands verify`: the proof alone, made anew each time, and nothing else on the host touched."""

from __future__ import annotations

from tests.lab import fleet, observe
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
    assert [link["link"] for link in host["proof"] if link["ok"]] == observe.LINKS
    assert int(converged.run("journalctl -u ollama -o cat | grep -c /api/generate").stdout) == asked + 3
    assert (observe.identity(converged), listing(converged)) == (before, files)
    assert observe.leftovers(converged) == []


def test_a_broken_link_is_named_with_what_to_do_and_exits_1(converged: Host) -> None:
    converged.run("systemctl stop ollama")

    code, said = fleet.say("verify")

    assert code == 1
    assert "  broken  generate-on-host" in said
    assert "  hint: on the host: " in said
    assert said.endswith("When the cause is gone, run: fleethands verify inventory/lab.py --hosts lab-1\n")
    converged.run("systemctl start ollama")
    assert fleet.say("verify")[0] == 0
