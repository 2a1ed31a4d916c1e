"""What the firewall's rules close while a host goes from one declaration to another."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe, network
from fleethands.facts.files import ABSENT, File
from fleethands.operations.core import operation, proof_record, scripts
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.firewall import firewall
from fleethands.operations.firewall.closed_ports import ClosedPorts, ports_closed_now
from fleethands.operations.firewall.closed_ports import declared_ports as closed_by
from fleethands.operations.firewall.scripts import watcher_script
from fleethands.operations.proof import proof
from fleethands.script import Script
from fleethands.settings import HostSettings, SettingsError
from fleethands.tasks.firewall import rules
from tests.hosts import bare, declared

V1 = {"openhands_image": "docker.openhands.dev/openhands/openhands:1.11"}
SOURCE = {"openhands_flavor": "source"}
PARTS = (3001, 8000, 18000, 18001, 18910, 18911, 18912, 18913, 19000, 19911)  # of Canvas without a container
INSIDE = (3001, 8000, 18000, 18001, 19000)  # of its container
OF_V1 = "32768-60999"
OF_CANVAS = ClosedPorts((11434,), PARTS)
GUI = ClosedPorts((11434,), (3000,), (3000,))


# as written until 2026-11
BEFORE_SANDBOXES = """\
		# what Docker publishes over IPv6 its proxy takes in, and no rule can tell its sockets from others
		meta nfproto ipv6 ct state new tcp dport 32768-60999 jump guard
"""
BEFORE = """\
# Written by fleethands: Ollama and OpenHands have no authentication, so the outside stays out.
table inet fleethands
delete table inet fleethands
table inet fleethands {
	chain input {
		type filter hook input priority filter - 1; policy accept;
		tcp dport { 3000, 4000, 11434 } jump guard
SANDBOXES	}
	# ports that Docker publishes are rewritten on the way in, and the input chain never sees them
	chain forward {
		type filter hook forward priority filter - 1; policy accept;
		ct status dnat ct direction original meta l4proto tcp ct original proto-dst { 3000, 4000, 11434 } jump guard
	}
	chain guard {
		iifname "lo" return
		iifname "docker0" return
		iifname "br-*" return
		drop
	}
}
"""


def on(decide: Any, settings: HostSettings, seen: Probe) -> Probe:
    """The host after one operation."""
    decision = decide(settings, seen)
    if not isinstance(decision, Change):
        return seen
    return decision.predict(seen if decision.keeps_proof else seen.with_file(paths.PROOF, ABSENT))


def closed(settings: HostSettings, seen: Probe) -> Probe:
    for step in (firewall.write_rules, firewall.load_rules):
        seen = on(lambda *known, each=step: each.decide(*known, render=rules), settings, seen)
    return seen


def narrow_rules(settings: HostSettings, seen: Probe) -> Probe:
    return on(lambda *known: firewall.narrow_rules.decide(*known, render=rules), settings, seen)


@pytest.mark.parametrize(
    ("before", "after", "between", "then"),
    [
        ({}, {"ollama_host": "0.0.0.0:11500"}, replace(GUI, ports=(11434, 11500)), replace(GUI, ports=(11500,))),
        ({"openhands_port": 4000}, {}, replace(GUI, page=(3000, 4000)), GUI),
        ({}, {"openhands_flavor": "off"}, GUI, ClosedPorts((11434,))),
        (V1, {}, replace(GUI, sandboxes=(OF_V1,)), GUI),
        (
            {},
            {"openhands_flavor": "canvas"},
            GUI | ClosedPorts((), (8000,), INSIDE),
            ClosedPorts((11434,), (8000,), INSIDE),
        ),
        (SOURCE, {}, GUI | OF_CANVAS, GUI),
        ({}, SOURCE, GUI | OF_CANVAS, OF_CANVAS),
        # what containers use is never closed to them, whatever listened there before
        (
            {},
            {"ollama_host": "0.0.0.0:3000", "openhands_port": 4000},
            ClosedPorts((3000, 11434), (4000,), (3000,)),
            ClosedPorts((3000,), (4000,), (3000,)),
        ),
    ],
)
def test_what_was_closed_stays_so_until_what_takes_its_place_is_proven(
    before: dict[str, Any], after: dict[str, Any], between: ClosedPorts, then: ClosedPorts
) -> None:
    old, new = declared(**before), declared(**after)
    seen = closed(new, closed(old, bare(new)))
    assert ports_closed_now(seen) == between
    assert ports_closed_now(narrow_rules(new, seen)) == between

    seen = narrow_rules(new, on(proof.prove.decide, new, seen))

    assert ports_closed_now(seen) == then
    assert proof_record.is_proven(new, seen)
    for step in (firewall.write_rules, firewall.load_rules, firewall.narrow_rules):
        assert isinstance(step.decide(new, seen, render=rules), Unchanged)


def test_sandboxes_on_the_hosts_own_network_are_closed_there() -> None:
    host_network = declared(**V1, openhands_env={"AGENT_SERVER_USE_HOST_NETWORK": "true"})

    assert closed_by(host_network).page == (3000, 8000, 8001, 8011, 8012)
    assert closed_by(declared(**V1)).page == (3000,)


def test_rules_that_would_close_a_way_in_are_not_written_down_as_closed() -> None:
    """The next run closes the ports of the file, too, whatever its settings are."""
    script = firewall.write_rules.decide(declared(**V1), bare(), render=rules).script

    assert script.values["step"] == "write_rules"
    assert script.values["published"] == OF_V1
    assert script.body.rindex("check_ssh_stays_open\n") < script.body.rindex("atomic_file")


def test_a_bridge_that_is_not_dockers_leads_to_the_outside() -> None:
    settings = declared()
    seen = bare(settings).replace(firewall=network.parse_firewall(["bridge br-wan", "bridge br-lan", "none"]))

    text = rules(settings, ClosedPorts((3000,)), seen.firewall.bridges)

    assert 'iifname "br-*" iifname != { "br-lan", "br-wan" } return' in text
    assert 'oifname "br-*" oifname != { "br-lan", "br-wan" } jump routed' in text
    assert ports_closed_now(closed(settings, seen)) == GUI
    with pytest.raises(ValueError, match="quoted"):
        network.parse_firewall(['bridge br-"quoted"', "none"])


@pytest.mark.parametrize("content", [b"", b"\xff", b"\t\ttcp dport { 0, 99999 } jump guard\n", b"table inet x {}"])
def test_rules_that_nobody_of_ours_wrote_close_nothing(content: bytes) -> None:
    seen = bare().with_file(paths.FIREWALL_RULES, File("file", content=content))

    assert ports_closed_now(seen) == ClosedPorts()


@pytest.mark.parametrize(("sandboxes", "ranges"), [("", ()), (BEFORE_SANDBOXES, (OF_V1,))])
def test_rules_of_the_release_before_are_read(sandboxes: str, ranges: tuple[str, ...]) -> None:
    """The ports that they closed stay closed until the proof. The settings decide which of them containers may use."""
    text = BEFORE.replace("SANDBOXES", sandboxes)
    seen = bare().with_file(paths.FIREWALL_RULES, File("file", owner="root:root", content=text.encode()))

    assert ports_closed_now(seen) == ClosedPorts((3000, 4000, 11434), (), (), ranges)
    between = ports_closed_now(closed(declared(), seen))
    assert between == ClosedPorts((4000, 11434), (3000,), (3000,), ranges)


@pytest.mark.parametrize("keeps_proof", [True, False])
def test_a_change_removes_the_proof_unless_it_keeps_it(tmp_path: Path, keeps_proof: bool) -> None:
    proof = tmp_path / "proof"
    proof.write_text("")
    change = Change("it", "as it was", "changed", Script(""), keeps_proof=keeps_proof)
    (removes,) = (line for line in scripts.read("common").splitlines() if line.endswith(f"rm -f {paths.PROOF}"))
    variables = "".join(f"{name}={value}\n" for name, value in operation.run_variables(change, "").items())

    subprocess.run(["sh", "-euc", variables + removes.replace(paths.PROOF, str(proof))], timeout=30, check=True)

    assert proof.exists() is keeps_proof


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
        ('LISTEN 0 128 [::]:30010 [::]:* users:(("sshd",pid=1,fd=4))', "", "30010 of ::"),
        ('LISTEN 0 128 [::]:30011 [::]:* users:(("sshd",pid=1,fd=4))', "", ""),
        ("", "0.0.0.0:22 (Stream)\n[::]:40022 (Stream)\n", "40022 of ::"),
    ],
)
def test_no_port_of_sshds_is_closed(tmp_path: Path, sockets: str, units: str, refused: str) -> None:
    part = scripts.read("table_functions")
    (tmp_path / "ss").write_text(sockets + "\n")
    (tmp_path / "units").write_text(units)
    stand_ins = f"""
        ss() {{ cat {tmp_path}/ss; }}
        systemctl() {{ cat {tmp_path}/units; }}
        stop() {{ exit 1; }}
        fail() {{ echo "$1"; exit 1; }}
        rules=r loaded=l ports='3000 11434' published='30000-30010 32768-60999'
    """
    script = f"set -eu\n{stand_ins}\n{part}\ncame_in() {{ :; }}\ncheck_ssh_stays_open\n"

    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == bool(refused), done.stderr
    assert done.stdout == (f"sshd listens on port {refused}, which the firewall would close\n" if refused else "")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"firewall": False}, "Agent Canvas always listens on every address"),
        ({"openhands_port": 3001}, "expected a port that Agent Canvas does not use itself, got `3001`"),
        ({"ollama_host": "0.0.0.0:18910"}, "expected a port that Agent Canvas does not use itself, got `18910`"),
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


def script(call: str, **commands: str) -> str:
    """What a function of the script on a host says, where these commands say this."""
    parts = watcher_script().rpartition('"$1"\n')[0]
    stand_ins = "\n".join(f"{name}() {{ cat <<'END'\n{said}\nEND\n}}" for name, said in commands.items())
    command = ["sh", "-c", f"set -eu\n{parts}\n{stand_ins}\n{call}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def test_ports_of_sandboxes_are_read_from_dockers_proxies() -> None:
    ports = [(3000, 3000), (8080, 8000), (40001, 8000), (40002, 8012), (40003, 80), (45001, 9000)]
    proxy = "7 /usr/bin/docker-proxy -proto tcp -host-ip :: -host-port {} -container-ip 172.17.0.3 -container-port {}"

    found = script("proxied", pgrep="\n".join(proxy.format(*pair) for pair in [*ports, ports[2]]))

    assert found == "40001,40002\n"
    assert script("proxied", pgrep="") == "\n"


@pytest.mark.parametrize("data", [{}, V1, SOURCE, {"openhands_flavor": "canvas"}, {"openhands_flavor": "off"}])
def test_each_rule_that_closes_something_is_counted(data: dict[str, Any]) -> None:
    settings = declared(**data)
    text = rules(settings, closed_by(settings) | closed_by(declared(**V1)), ())
    closing = [line for line in text.splitlines() if re.search(r"^\t\t.*\b(jump|goto|drop)\b", line)]

    assert int(script(f"closing <<'END'\n{text}\nEND")) == len(closing) >= 7
