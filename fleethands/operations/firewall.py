"""Our own nftables table: loaded as its file says, or gone."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.probe import ABSENT, File, Unit
from fleethands.operations.change import Change, Decision, Same, operation, step
from fleethands.settings import HostSettings
from fleethands.settings.openhands import V1, generation_of


def has_sandboxes(settings: HostSettings) -> bool:
    """Whether OpenHands starts containers on this host that publish ports of their own."""
    return bool(settings.container_image) and generation_of(settings) is V1


@operation
def loaded(settings: HostSettings, seen: Probe, rules: str) -> Decision:
    """
    Have the table in the kernel as the rules say, now and after a boot.

    + rules: text of the rules' file
    """
    digest = hashlib.sha256(rules.encode()).hexdigest()
    record = (seen.files[paths.FIREWALL_LOADED].content or b"").decode().split()
    unit = seen.units.get(paths.FIREWALL_SERVICE)
    if unit is not None and unit.enabled == "enabled" and record == [digest, seen.firewall.loaded]:
        return Same("the firewall is loaded as declared")

    def then(probe: Probe) -> Probe:
        enabled = Unit("loaded", "active", "exited", "enabled", 0, False, (), paths.FIREWALL_UNIT, 0, "success")
        record = File("file", "0644", owner="root:root", content=f"{digest} foreseen\n".encode())
        probe = probe.having(
            units={**probe.units, paths.FIREWALL_SERVICE: enabled},
            firewall=replace(probe.firewall, loaded="foreseen"),
        )
        return probe.with_file(paths.FIREWALL_LOADED, record)

    script = step("firewall", rules=paths.FIREWALL_RULES, loaded=paths.FIREWALL_LOADED)
    before = "not loaded" if seen.firewall.loaded is None else "loaded from other rules, or changed since"
    return Change("firewall", before, f"loaded, {digest[:12]}", script, then, consequence=_effect(settings))


def _effect(settings: HostSettings) -> str:
    ports = " and ".join(str(port) for port in sorted({settings.ollama_host.port, settings.openhands_port}))
    allowed = ", ".join(settings.allow_from) or "nobody"
    sandboxes = ", and those that its sandboxes publish," if has_sandboxes(settings) else ""
    return f"closes ports {ports}{sandboxes} to the outside but for {allowed}; no other port is touched"


@operation
def gone(settings: HostSettings, seen: Probe) -> Decision:
    """Have none of our firewall."""
    ours = (paths.FIREWALL_RULES, paths.FIREWALL_UNIT)
    if seen.firewall.loaded is None and all(seen.files[path].kind == "absent" for path in ours):
        return Same("there is no firewall of ours")

    def then(probe: Probe) -> Probe:
        for path in (*ours, paths.FIREWALL_LOADED):
            probe = probe.with_file(path, ABSENT)
        return probe.having(firewall=replace(probe.firewall, loaded=None))

    script = step("firewall_off", rules=paths.FIREWALL_RULES, unit=paths.FIREWALL_UNIT)
    return Change(
        "firewall",
        "loaded",
        "gone",
        script,
        then,
        why="the setting `firewall` is False",
        consequence="whoever reaches this host reaches Ollama, which asks for no password",
    )
