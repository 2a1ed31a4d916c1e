"""Close the ports of Ollama and OpenHands to other machines, before anything listens on them."""

from fleethands.operations.firewall import firewall
from fleethands.operations.firewall.closed_ports import ClosedPorts
from fleethands.operations.firewall.scripts import watcher_script
from fleethands.operations.system import system
from fleethands.paths import FIREWALL_SCRIPT, FIREWALL_UNIT
from fleethands.settings import HostSettings
from fleethands.settings.generations import SANDBOXES
from fleethands.tasks import docker, preflight, render
from fleethands.tasks.task import task


@task("Firewall", preflight.check, docker.install)
def close(settings: HostSettings) -> None:
    """Close the ports. Runs before anything listens on new ports, or stops listening on others."""
    if not settings.firewall:
        firewall.remove_table(name="Remove the table", settings=settings)
        return
    if not settings.listens:  # a table of earlier settings stays until the proof
        return
    firewall.write_rules(name="Write the rules", settings=settings, render=rules)
    system.write_file(name="Write the watcher", settings=settings, path=FIREWALL_SCRIPT, content=watcher_script())
    unit = render("firewall.service.j2", script=FIREWALL_SCRIPT)
    system.write_file(name="Write the unit", settings=settings, path=FIREWALL_UNIT, content=unit)
    firewall.load_rules(name="Load the rules", settings=settings, render=rules)


@task("Firewall")
def narrow(settings: HostSettings) -> None:
    """Open the ports that are no longer needed. Runs after the proof."""
    firewall.narrow_rules(name="Close only the declared ports", settings=settings, render=rules)


def rules(settings: HostSettings, closed: ClosedPorts, bridges: tuple[str, ...]) -> str:
    """The text of the rules' file."""
    return render(
        "firewall.nft.j2",
        ports=closed.ports,
        page=closed.page,
        inside=closed.inside,
        sandboxes=(SANDBOXES,) if SANDBOXES.published in closed.sandboxes else (),
        calls_back=SANDBOXES.published in closed.sandboxes,
        allow_from=settings.allow_from,
        bridges=bridges,
    )
