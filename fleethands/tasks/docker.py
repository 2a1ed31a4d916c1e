"""Install the packages that the other tasks need, and a Docker engine if a container is declared."""

from fleethands.operations.docker import engine
from fleethands.operations.system import packages
from fleethands.settings import HostSettings
from fleethands.tasks import bundle, preflight
from fleethands.tasks.task import task


@task("Docker", preflight.check, bundle.deliver)
def install(settings: HostSettings) -> None:
    """Install the packages that the declared state needs, and start a Docker engine if it needs one."""
    packages.install(name="Install from the distribution", settings=settings)
    engine.start(name="Run the engine", settings=settings)
