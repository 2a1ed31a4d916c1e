"""Our own nftables table: loaded as its file says, or gone."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable
from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.units import Unit
from fleethands.operations.core import scripts
from fleethands.operations.core.operation import Change, Decision, Unchanged, operation, step
from fleethands.operations.core.proof_record import is_proven
from fleethands.operations.firewall.closed_ports import ClosedPorts, declared_ports, describe_effect, ports_closed_now
from fleethands.operations.system import system
from fleethands.settings import HostSettings
from fleethands.settings.generations import SANDBOXES, V1
from fleethands.settings.openhands import generation_of

Render = Callable[[HostSettings, ClosedPorts, tuple[str, ...]], str]  # the rules' text; the last are bridges outside


def has_sandboxes(settings: HostSettings) -> bool:
    """Whether OpenHands starts containers on this host that publish ports of their own."""
    return bool(settings.container_image) and generation_of(settings) is V1


def _closed(settings: HostSettings, probe: Probe) -> ClosedPorts:
    """What was there before listens until what is declared takes its place, and again where that is not proven."""
    return declared_ports(settings) | ports_closed_now(probe)


@operation
def write_rules(settings: HostSettings, probe: Probe, render: Render) -> Decision:
    """
    Have the rules' file close what is declared, and all that it has closed until now.

    + render: makes the text of the file
    """
    closed = _closed(settings, probe)
    text = render(settings, closed, probe.firewall.bridges)
    decision: Decision = system.write_file.decide(settings, probe, path=paths.FIREWALL_RULES, content=text)
    if not isinstance(decision, Change):
        return decision
    return replace(decision, script=step("firewall_write", text=text, **_values(closed)))


@operation
def load_rules(settings: HostSettings, probe: Probe, render: Render) -> Decision:
    """
    Have the table in the kernel as the rules say, now and after a boot.

    + render: makes the text of the rules' file
    """
    closed = _closed(settings, probe)
    digest = _digest(render(settings, closed, probe.firewall.bridges))
    record = (probe.files[paths.FIREWALL_LOADED].content or b"").decode().split()
    unit = probe.units.get(paths.FIREWALL_SERVICE)
    watches = unit is not None and unit.enabled == "enabled" and unit.active == "active"
    if watches and record == [digest, probe.firewall.loaded]:
        return Unchanged("the firewall is loaded as declared")
    script = step("firewall", **_values(closed))
    before = "not loaded" if probe.firewall.loaded is None else "loaded from other rules, or changed since"
    if record == [digest, probe.firewall.loaded]:
        before = "loaded, and nobody loads it again after a flush or a boot"
    return Change(
        "firewall",
        before,
        f"loaded, {digest[:12]}",
        script,
        lambda probe: _up(probe, digest),
        consequence=describe_effect(settings, closed),
    )


def _digest(rules: str) -> str:
    return hashlib.sha256(rules.encode()).hexdigest()


def _values(closed: ClosedPorts) -> dict[str, str]:
    """What the scripts that load the rules want to know."""
    return {
        "rules": paths.FIREWALL_RULES,
        "loaded": paths.FIREWALL_LOADED,
        "ports": " ".join(map(str, closed.of_host)),
        "published": " ".join(closed.sandboxes),
    }


def _up(probe: Probe, digest: str) -> Probe:
    enabled = Unit("loaded", "active", "running", "enabled", 0, False, (), paths.FIREWALL_UNIT, 0, "success")
    record = File("file", "0644", owner="root:root", content=f"{digest} foreseen\n".encode())
    probe = probe.having(
        units={**probe.units, paths.FIREWALL_SERVICE: enabled},
        firewall=replace(probe.firewall, loaded="foreseen"),
    )
    return probe.with_file(paths.FIREWALL_LOADED, record)


def watcher_script() -> str:
    """The script on a host that loads the rules, and loads them again when they are gone."""
    values = {
        "rules": paths.FIREWALL_RULES,
        "loaded": paths.FIREWALL_LOADED,
        "inside": "|".join(map(str, SANDBOXES.inside)),
        "lowest": str(SANDBOXES.first),
    }
    body = scripts.read("firewall_watch")
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    return "".join(["# Written by fleethands.\n", *lines, body])


@operation
def narrow_rules(settings: HostSettings, probe: Probe, render: Render) -> Decision:
    """
    Have no more closed than what is declared, once nothing that listened on the rest can come back.

    + render: makes the text of the rules' file
    """
    text = render(settings, declared_ports(settings), probe.firewall.bridges)
    if not declared_ports(settings):
        return _needed_no_more(settings, probe)
    if not settings.firewall or probe.files[paths.FIREWALL_RULES].content == text.encode():
        return Unchanged("nothing is closed but what is declared")
    if not is_proven(settings, probe):
        return Unchanged("what was closed before stays so until what is declared is proven")
    wanted = File("file", "0644", owner="root:root", content=text.encode())
    return Change(
        "firewall",
        f"closes {ports_closed_now(probe)}",
        f"closes {declared_ports(settings)}",
        step("firewall_settle", text=text, **_values(declared_ports(settings))),
        lambda probe: _up(probe.with_file(paths.FIREWALL_RULES, wanted), _digest(text)),
        why="nothing of ours listens on the others any more",
        keeps_proof=True,
    )


def _needed_no_more(settings: HostSettings, probe: Probe) -> Decision:
    """Where nothing of ours listens: what was closed before is open once nothing that listened there can come back."""
    decision: Decision = remove_table.decide(settings, probe)
    if not settings.firewall or not isinstance(decision, Change):
        return decision if isinstance(decision, Unchanged) else Unchanged("nothing is closed")
    if not is_proven(settings, probe):
        return Unchanged("what was closed before stays so until what is declared is proven")
    script = decision.script.having(step="firewall_settle")
    return replace(decision, script=script, why="nothing of ours listens here", consequence="", keeps_proof=True)


@operation
def remove_table(settings: HostSettings, probe: Probe) -> Decision:
    """Have none of our firewall."""
    ours = (paths.FIREWALL_RULES, paths.FIREWALL_SCRIPT, paths.FIREWALL_UNIT)
    if probe.firewall.loaded is None and all(probe.files[path].kind == "absent" for path in ours):
        return Unchanged("there is no firewall of ours")

    def predict(probe: Probe) -> Probe:
        for path in (*ours, paths.FIREWALL_LOADED):
            probe = probe.with_file(path, ABSENT)
        return probe.having(firewall=replace(probe.firewall, loaded=None))

    script = step("firewall_off", ours="\n".join(ours))
    return Change(
        "firewall",
        "loaded",
        "gone",
        script,
        predict,
        why="the setting `firewall` is False",
        consequence="whoever reaches this host reaches Ollama, which asks for no password",
    )
