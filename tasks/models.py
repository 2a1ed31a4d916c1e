"""The listed models are on the host, each under its whole name."""

from pyinfra.api import deploy

from fleethands.operations import models
from fleethands.settings import HostSettings


@deploy("Models")
def pull(settings: HostSettings) -> None:
    models.present(name="Pull what is missing", settings=settings)
