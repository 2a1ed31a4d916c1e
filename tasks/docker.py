"""A Docker engine runs, now and after every boot, with the tools that the other tasks need beside it."""

from pyinfra.api import deploy

from fleethands.operations import system
from fleethands.paths import DOCKER_SERVICE
from fleethands.settings import HostSettings

PACKAGES = ("ca-certificates", "curl", "nftables", "docker.io|docker-ce|moby-engine")


@deploy("Docker")
def install(settings: HostSettings) -> None:
    # what the controller sends comes without zstd's compression where the host has no zstd
    unpacker = () if settings.ollama_transfer == "controller" else ("zstd",)
    system.packages(name="Install from the distribution", settings=settings, wanted=(*PACKAGES, *unpacker))
    system.running(name="Run the engine", settings=settings, unit=DOCKER_SERVICE)
