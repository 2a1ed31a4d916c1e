"""The tools that the other tasks need; a Docker engine, where a container is declared, now and after every boot."""

from pyinfra.api import deploy

from fleethands.operations.docker import engine
from fleethands.operations.system import packages
from fleethands.settings import HostSettings


@deploy("Docker")
def install(settings: HostSettings) -> None:
    packages.install(name="Install from the distribution", settings=settings)
    engine.start(name="Run the engine", settings=settings)
