"""
The firewall of fleethands alone, whose rules host data can break.

`revert_rule` is a stand-in for a mistake in the template of the rules. Everything else is the product: its operations,
its scripts, and the host's own revert after `revert_delay` seconds.
"""

from pyinfra import host

from fleethands.operations.firewall import firewall
from fleethands.operations.firewall.closed_ports import ClosedPorts
from fleethands.operations.firewall.scripts import watcher_script
from fleethands.operations.system import system
from fleethands.paths import FIREWALL_SCRIPT, FIREWALL_UNIT
from fleethands.settings import HostSettings
from fleethands.tasks import render
from fleethands.tasks.firewall import rules
from fleethands.tasks.task import task

HOOK = "type filter hook input priority filter - 1; policy accept;\n"


def broken_rules(settings: HostSettings, closed: ClosedPorts, bridges: tuple[str, ...]) -> str:
    """The rules with one more in the chain `input`."""
    rule = host.data.get("revert_rule")
    return rules(settings, closed, bridges).replace(HOOK, f"{HOOK}\t\t{rule}\n" if rule else HOOK)


@task("Firewall")
def close(settings: HostSettings) -> None:
    unit = render("firewall.service.j2", script=FIREWALL_SCRIPT)
    firewall.write_rules(name="Write the rules", settings=settings, render=broken_rules)
    system.write_file(name="Write the watcher", settings=settings, path=FIREWALL_SCRIPT, content=watcher_script())
    system.write_file(name="Write the unit", settings=settings, path=FIREWALL_UNIT, content=unit)
    firewall.load_rules(
        name="Load the rules", settings=settings, render=broken_rules, delay=int(host.data.get("revert_delay") or 30)
    )
