"""Refuse a host that cannot reach its declared state, before anything on it changes."""

from pyinfra.api import deploy

from fleethands.operations.preflight import preflight
from fleethands.settings import HostSettings


@deploy("Preflight")
def check(settings: HostSettings) -> None:
    preflight.check(name="Check this host", settings=settings)
