"""Ollama's and OpenHands' ports are closed to the outside, before anything listens on them."""

from pyinfra.api import deploy

from fleethands.operations import firewall, system
from fleethands.paths import FIREWALL_LOADED, FIREWALL_RULES, FIREWALL_UNIT
from fleethands.settings import HostSettings
from fleethands.settings.openhands import SANDBOXES
from tasks import render


@deploy("Firewall")
def close(settings: HostSettings) -> None:
    if not settings.firewall:
        firewall.gone(name="Take our table away", settings=settings)
        return
    sandboxes = SANDBOXES if firewall.has_sandboxes(settings) else None
    rules = render(
        "firewall.nft.j2", ports=firewall.ports(settings), allow_from=settings.allow_from, sandboxes=sandboxes
    )
    unit = render("firewall.service.j2", rules=FIREWALL_RULES, loaded=FIREWALL_LOADED)
    system.file(name="Write the rules", settings=settings, path=FIREWALL_RULES, content=rules)
    system.file(name="Write the unit", settings=settings, path=FIREWALL_UNIT, content=unit)
    firewall.loaded(name="Load the rules", settings=settings, rules=rules)
