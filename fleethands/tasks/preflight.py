"""Refuse a host that cannot reach its declared state, before anything on it changes."""

from fleethands.operations.preflight import preflight
from fleethands.settings import HostSettings
from fleethands.tasks.task import task


@task("Preflight")
def check(settings: HostSettings) -> None:
    """Refuse a host that cannot reach its declared state, with the reason."""
    preflight.check(name="Check this host", settings=settings)
