"""Send what a bundle has, so that no later task downloads anything."""

from pyinfra.context import ctx_host

from fleethands.operations.delivery import deliver as delivery
from fleethands.settings import HostSettings
from fleethands.tasks import preflight
from fleethands.tasks.task import task


@task("Bundle", preflight.check)
def deliver(settings: HostSettings) -> None:
    """Send the parts that the host lacks. Without a bundle there is nothing to do."""
    if settings.pins.bundles:
        is_local = ctx_host.get().connector_cls.__name__ == "LocalConnector"
        delivery.deliver(name="Send the parts that are missing", settings=settings, local=is_local)
