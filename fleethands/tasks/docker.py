"""Install the packages that the other tasks need, and a Docker engine if a container is declared."""

from pyinfra.api import deploy

from fleethands.operations.docker import engine
from fleethands.operations.system import packages
from fleethands.settings import HostSettings


@deploy("Docker")
def install(settings: HostSettings) -> None:
    packages.install(name="Install from the distribution", settings=settings)
    engine.start(name="Run the engine", settings=settings)
