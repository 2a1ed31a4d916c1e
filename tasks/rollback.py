"""Ollama serves as it did before, at the release and with the settings of then; nothing is downloaded."""

from pyinfra.api import deploy

from fleethands.operations import ollama
from fleethands.settings import HostSettings


@deploy("Rollback")
def go_back(settings: HostSettings) -> None:
    ollama.back(name="Serve as before", settings=settings)
