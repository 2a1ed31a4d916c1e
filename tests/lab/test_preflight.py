"""What the plan refuses on real hosts: hung daemons, what can't be had, what does not fit, ports of others."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fleethands.facts.framing import SECTIONS
from fleethands.facts.parse_probe import PATIENCE
from fleethands.facts.probe import Probe, UnknownSection
from tests.lab.asking import differing, plan_of, probed
from tests.lab.flavors import GUIDE
from tests.lab.host import Host
from tests.lab.internet import release
from tests.lab.lab import Lab

BUSY = 15  # seconds that a host waits for its daemons where its load is twice its processors


@pytest.fixture(scope="module")
def served(lab: Lab, converged_state: str) -> Host:
    """lab-1, applied and proven, for tests that change nothing on its disk."""
    lab.internet.clear_faults()
    host = lab["lab-1"]
    host.restore(converged_state)
    return host


@contextmanager
def stopped(host: Host, *units: str) -> Iterator[None]:
    """Their main processes hang: they hold their sockets and answer nothing."""
    host.run(f"systemctl kill --kill-whom=main -s STOP {' '.join(units)}")
    try:
        yield
    finally:
        host.run(f"systemctl kill --kill-whom=main -s CONT {' '.join(units)}")


def waited_for(seen: Probe, section: str) -> int:
    """The seconds after which this probe gave a daemon up, by its own words."""
    with pytest.raises(UnknownSection) as raised:
        getattr(seen, section)
    return int(str(raised.value).split()[-2])


@pytest.mark.parametrize("unit", ["docker", "ollama"])
def test_a_daemon_that_hangs_is_named_in_the_plan(served: Host, unit: str) -> None:
    usual, usually = probed(served), plan_of(served)["took"]
    with stopped(served, unit):
        begin = time.monotonic()
        seen = probed(served)
        probe_took = time.monotonic() - begin
        plan = plan_of(served)

    assert differing(seen, usual) == {unit}
    assert 4.5 < probe_took < 1.5 * waited_for(seen, unit)
    assert plan["status"] == "refused"
    waited = re.fullmatch(rf"cannot tell the state of {unit}: no answer within ([0-9]+) s", plan["reason"])
    assert waited
    assert int(waited[1]) in {PATIENCE, BUSY}
    assert plan["hints"] == [f"on the host: systemctl restart {unit}; its log: journalctl -u {unit} -n 30"]
    assert plan["remote_commands"] == 1
    assert plan["took"] < 2 * usually + int(waited[1]) + 2


def test_two_daemons_that_hang_are_waited_for_at_once(served: Host) -> None:
    with stopped(served, "docker", "ollama"):
        begin = time.monotonic()
        seen = probed(served)
        took = time.monotonic() - begin

    assert {name for name in SECTIONS if not seen.knows(name)} == {"docker", "ollama"}
    assert took < 1.5 * waited_for(seen, "docker")


def test_a_clean_host_knows_the_size_of_what_it_lacks(lab: Lab, clean: Host) -> None:
    wanted: dict[str, Any] = {"models": ["codellama:7b", "no-such-model:1b"]}

    seen = probed(clean, models=wanted["models"])

    archive = release.tree() / "v0.24.0" / release.archive_name()
    manifest = lab.internet.registry.manifest("library/codellama", "7b")
    assert manifest is not None
    document = json.loads(manifest)
    model, image = seen.upstream.find("model", "codellama:7b"), seen.upstream.find("image", GUIDE)
    assert seen.upstream.size("archive", "0.24.0") == archive.stat().st_size
    assert model is not None
    assert model.digest == hashlib.sha256(manifest if isinstance(manifest, bytes) else manifest.encode()).hexdigest()
    assert model.size == sum(layer["size"] for layer in [document["config"], *document["layers"]])
    assert image is not None
    assert image.size is not None
    assert image.size > 100_000_000, image
    assert getattr(seen.upstream.find("model", "no-such-model:1b"), "state", "") == "missing"


def test_a_proxy_is_used_and_its_password_shows_nowhere(clean: Host) -> None:
    clean.run("iptables -I OUTPUT -p tcp --dport 3128 -j DROP")
    environment = {"HTTPS_PROXY": "http://ana:hunter2@10.255.255.1:3128"}
    watch = "while :; do cat /proc/[0-9]*/cmdline; sleep 0.05; done > /run/watched"
    clean.run(f"systemd-run --quiet --unit watcher sh -c {shlex.quote(watch)}")

    seen = probed(clean, ollama_env=environment)

    clean.run("systemctl stop watcher")
    offer = seen.upstream.find("model", "codellama:7b")
    assert offer is not None
    assert (offer.state, offer.reason) == ("unreachable", "no answer within 8 s")
    assert clean.run("grep -ac curl /run/watched").stdout.strip() != "0"
    assert clean.run("grep -ac hunter2 /run/watched", check=False).stdout.strip() == "0"
    assert "hunter2" not in json.dumps(seen.to_json())

    past = probed(clean, ollama_env={**environment, "NO_PROXY": "registry.ollama.ai"})

    assert past.upstream.size("model", "codellama:7b")


def test_no_route_to_the_registry_is_refused_before_anything_changes(clean: Host) -> None:
    clean.run("sed -i s/registry.ollama.ai// /etc/hosts")

    plan = plan_of(clean)

    assert plan["status"] == "refused"
    assert plan["reason"] == "no route to registry.ollama.ai: its name is not known on this host"
    assert plan["hints"][0] == (
        "try it on the host: curl -sSI https://registry.ollama.ai/v2/library/codellama/manifests/7b"
    )
    assert plan["changes"] == []


def test_what_does_not_fit_is_refused_with_what_is_needed(converged: Host) -> None:
    with converged.out_of_disk("/usr/share/ollama/.ollama/models", "60m"):
        plan = plan_of(converged, "--data", 'models=["codellama:7b", "padded"]')

    assert plan["status"] == "refused"
    assert plan["reason"].startswith("/usr/share/ollama/.ollama/models has ")
    assert "MiB free, " in plan["reason"]
    assert plan["hints"][0].startswith("that is for padded:latest 1")
