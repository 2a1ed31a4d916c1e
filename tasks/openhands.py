"""OpenHands runs against this host's Ollama, with the model already chosen and the workspace its user's own."""

from pyinfra.api import deploy

from fleethands.operations import choice, openhands, system
from fleethands.paths import OPENHANDS_HOME, OPENHANDS_STATE
from fleethands.settings import HostSettings


@deploy("OpenHands")
def serve(settings: HostSettings) -> None:
    if settings.openhands_flavor == "off":
        openhands.gone(name="Take the container away", settings=settings)
        return
    user = settings.openhands_user
    owner = f"{user}:{user}"
    workspace = str(settings.openhands_workspace)
    system.user(name="Create the workspace's user", settings=settings, user=user, home=OPENHANDS_HOME)
    system.directory(name="Make the workspace", settings=settings, path=workspace, owner=owner, mode="0755")
    system.directory(name="Make the state directory", settings=settings, path=OPENHANDS_STATE, owner=owner, mode="0700")
    choice.chosen(name="Choose the model", settings=settings)
    openhands.serve(name="Run the container", settings=settings)
