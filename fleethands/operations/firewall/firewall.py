"""The nftables table of fleethands. Other tables are never touched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.units import Unit
from fleethands.operations.core.decision import Change, Decision, Place, Unchanged
from fleethands.operations.core.operation import operation
from fleethands.operations.core.proof_record import is_proven
from fleethands.operations.firewall.closed_ports import ClosedPorts, declared_ports, describe_effect, ports_closed_now
from fleethands.operations.firewall.revert import DELAY, is_unconfirmed, reverted_note
from fleethands.operations.firewall.scripts import LoadRules, NarrowRules, RemoveTable, WriteRules, closing
from fleethands.operations.system import system
from fleethands.settings import HostSettings

# makes the text of the rules; the last parameter is the bridges that lead outside
Render = Callable[[HostSettings, ClosedPorts, tuple[str, ...]], str]
FILES = (paths.FIREWALL_RULES, paths.FIREWALL_SCRIPT, paths.FIREWALL_UNIT)
WAITS_FOR_PROOF = "the ports closed before stay closed until the declared state is proven"


def _ports_until_proof(settings: HostSettings, probe: Probe) -> ClosedPorts:
    """The declared ports, and those closed until now: the previous service listens there, and may be restored."""
    return declared_ports(settings) | ports_closed_now(probe)


@operation
def write_rules(settings: HostSettings, probe: Probe, render: Render) -> Decision:
    """
    Write the file of the rules. It closes the declared ports, and all ports that it has closed until now.

    + render: makes the text of the file
    """
    closed = _ports_until_proof(settings, probe)
    text = render(settings, closed, probe.firewall.bridges)
    decision: Decision = system.write_file.decide(settings, probe, path=paths.FIREWALL_RULES, content=text)
    if not isinstance(decision, Change):
        return decision
    return replace(decision, script=WriteRules(text=text, **closing(closed)).script)


@operation
def load_rules(settings: HostSettings, probe: Probe, render: Render, delay: int = DELAY) -> Decision:
    """
    Load the rules into the kernel, now and after a boot.

    + render: makes the text of the file
    + delay: seconds until the host reverts the change, unless a new SSH connection confirms it
    """
    closed = _ports_until_proof(settings, probe)
    digest = _digest(render(settings, closed, probe.firewall.bridges))
    record = (probe.files[paths.FIREWALL_LOADED].content or b"").decode().split()
    is_loaded = record == [digest, probe.firewall.loaded]
    unit = probe.units.get(paths.FIREWALL_SERVICE)
    is_watched = unit is not None and (unit.enabled, unit.active) == ("enabled", "active")
    if is_loaded and is_watched and not is_unconfirmed(probe):
        return Unchanged("the firewall is loaded as declared", reverted_note(probe))
    return Change(
        "firewall",
        _describe_loaded(probe, is_loaded, is_watched),
        f"loaded, {digest[:12]}",
        LoadRules(digest=digest, delay=delay, **closing(closed)).script,
        lambda probe: _predict_loaded(probe, digest),
        consequence=describe_effect(settings, closed),
        notes=reverted_note(probe),
        place=Place.WITHIN,
    )


def _describe_loaded(probe: Probe, is_loaded: bool, is_watched: bool) -> str:
    if not is_loaded:
        return "not loaded" if probe.firewall.loaded is None else "loaded from other rules, or changed since"
    if not is_watched:
        return "loaded, but nothing loads it again after a flush or a boot"
    return "loaded, but no new SSH connection has confirmed it"


def _digest(rules: str) -> str:
    return hashlib.sha256(rules.encode()).hexdigest()


def _predict_loaded(probe: Probe, digest: str) -> Probe:
    enabled = Unit("loaded", "active", "running", "enabled", 0, False, (), paths.FIREWALL_UNIT, 0, "success")
    record = File("file", "0644", owner="root:root", content=f"{digest} predicted\n".encode())
    probe = probe.replace(
        units={**probe.units, paths.FIREWALL_SERVICE: enabled},
        firewall=replace(probe.firewall, loaded="predicted"),
    )
    return (
        probe.with_file(paths.FIREWALL_LOADED, record)
        .with_file(paths.REVERT_ARMED, ABSENT)
        .with_file(paths.REVERTED, ABSENT)
    )


@operation
def narrow_rules(settings: HostSettings, probe: Probe, render: Render) -> Decision:
    """
    Close only the declared ports, once the previous service can no longer be restored.

    + render: makes the text of the file
    """
    closed = declared_ports(settings)
    if not closed:
        return _remove_unneeded_table(settings, probe)
    text = render(settings, closed, probe.firewall.bridges)
    if not settings.firewall or probe.files[paths.FIREWALL_RULES].content == text.encode():
        return Unchanged("only the declared ports are closed")
    if not is_proven(settings, probe):
        return Unchanged(WAITS_FOR_PROOF)
    wanted = File("file", "0644", owner="root:root", content=text.encode())
    return Change(
        "firewall",
        f"closes {ports_closed_now(probe)}",
        f"closes {closed}",
        NarrowRules(text=text, **closing(closed)).script,
        lambda probe: _predict_loaded(probe.with_file(paths.FIREWALL_RULES, wanted), _digest(text)),
        why="nothing of fleethands listens on the other ports any more",
        keeps_proof=True,
    )


def _remove_unneeded_table(settings: HostSettings, probe: Probe) -> Decision:
    """Where no port is declared: remove the table once the previous service can no longer be restored."""
    decision: Decision = remove_table.decide(settings, probe)
    if not settings.firewall or not isinstance(decision, Change):
        return decision if isinstance(decision, Unchanged) else Unchanged("nothing is closed")
    if not is_proven(settings, probe):
        return Unchanged(WAITS_FOR_PROOF)
    return replace(decision, why="nothing of fleethands listens on this host", consequence="", keeps_proof=True)


@operation
def remove_table(settings: HostSettings, probe: Probe) -> Decision:
    """Remove the table of fleethands, and its files."""
    if probe.firewall.loaded is None and all(
        probe.files[path].kind == "absent" for path in (*FILES, paths.REVERT_ARMED)
    ):
        return Unchanged("there is no firewall of fleethands")

    def predict(probe: Probe) -> Probe:
        for path in (*FILES, paths.FIREWALL_LOADED, paths.REVERT_ARMED, paths.REVERTED):
            probe = probe.with_file(path, ABSENT)
        return probe.replace(firewall=replace(probe.firewall, loaded=None))

    return Change(
        "firewall",
        "loaded",
        "removed",
        RemoveTable(files="\n".join(FILES)).script,
        predict,
        why="the setting `firewall` is False",
        consequence="every machine that reaches this host can use Ollama, which asks for no password",
    )
