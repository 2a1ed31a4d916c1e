"""Our own nftables table: loaded as its file says, or gone."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.units import Unit
from fleethands.operations.change import Change, Decision, Same, operation, step
from fleethands.settings import HostSettings
from fleethands.settings.openhands import SANDBOXES, V1, generation_of


def has_sandboxes(settings: HostSettings) -> bool:
    """Whether OpenHands starts containers on this host that publish ports of their own."""
    return bool(settings.container_image) and generation_of(settings) is V1


def ports(settings: HostSettings) -> list[int]:
    """What is closed to the outside: the ports that we have something listen on."""
    openhands = {settings.openhands_port} if settings.openhands_flavor != "off" else set()
    return sorted({settings.ollama_host.port, *openhands})


@operation
def loaded(settings: HostSettings, seen: Probe, rules: str) -> Decision:
    """
    Have the table in the kernel as the rules say, now and after a boot.

    + rules: text of the rules' file
    """
    digest = hashlib.sha256(rules.encode()).hexdigest()
    record = (seen.files[paths.FIREWALL_LOADED].content or b"").decode().split()
    unit = seen.units.get(paths.FIREWALL_SERVICE)
    watches = unit is not None and unit.enabled == "enabled" and unit.active == "active"
    if watches and record == [digest, seen.firewall.loaded]:
        return Same("the firewall is loaded as declared")

    def then(probe: Probe) -> Probe:
        enabled = Unit("loaded", "active", "running", "enabled", 0, False, (), paths.FIREWALL_UNIT, 0, "success")
        record = File("file", "0644", owner="root:root", content=f"{digest} foreseen\n".encode())
        probe = probe.having(
            units={**probe.units, paths.FIREWALL_SERVICE: enabled},
            firewall=replace(probe.firewall, loaded="foreseen"),
        )
        return probe.with_file(paths.FIREWALL_LOADED, record)

    script = step(
        "firewall",
        rules=paths.FIREWALL_RULES,
        loaded=paths.FIREWALL_LOADED,
        ports=" ".join(map(str, ports(settings))),
        published=SANDBOXES.published if has_sandboxes(settings) else "",
    )
    before = "not loaded" if seen.firewall.loaded is None else "loaded from other rules, or changed since"
    if record == [digest, seen.firewall.loaded]:
        before = "loaded, and nobody loads it again after a flush or a boot"
    return Change("firewall", before, f"loaded, {digest[:12]}", script, then, consequence=_effect(settings))


def _effect(settings: HostSettings) -> str:
    closed = ports(settings)
    allowed = ", ".join(settings.allow_from) or "nobody"
    sandboxes, others = "", "no other port is touched"
    if has_sandboxes(settings):
        sandboxes = ", and those that its sandboxes publish,"
        others = f"over IPv6 these are all of {SANDBOXES.published}, whoever listens there; no other port is touched"
    noun = f"port{'s' if len(closed) > 1 else ''} {' and '.join(map(str, closed))}"
    return f"closes {noun}{sandboxes} to the outside but for {allowed}; {others}"


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
