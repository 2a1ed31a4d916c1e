"""OpenHands runs against this host's Ollama, with the model already chosen and the workspace its user's own."""

from pyinfra.api import deploy

from fleethands.operations import choice, openhands, system
from fleethands.paths import OPENHANDS_HOME
from fleethands.settings import HostSettings
from fleethands.settings.openhands import generation_of


@deploy("OpenHands")
def serve(settings: HostSettings) -> None:
    if settings.openhands_flavor == "off":
        openhands.gone(name="Take the container away", settings=settings)
        return
    user, workspace = settings.openhands_user, str(settings.openhands_workspace)
    state = generation_of(settings).directory
    system.user(name="Create the workspace's user", settings=settings, user=user, home=OPENHANDS_HOME)
    # whose they are follows from who works in them, which the container's image tells
    system.directory(name="Make the workspace", settings=settings, path=workspace, owner=None, mode="0755")
    system.directory(name="Make the state directory", settings=settings, path=state, owner=None, mode="0700")
    openhands.serve(name="Run the container", settings=settings)
    choice.chosen(name="Choose the model", settings=settings)
