"""What the other tasks put on a host is taken away; models and workspaces stay unless they are named."""

from pyinfra.api import deploy

from fleethands.operations.firewall import firewall
from fleethands.operations.models import preload
from fleethands.operations.openhands import container, sandboxes, source_service
from fleethands.operations.removal import removal
from fleethands.paths import CANVAS_KEY, OLLAMA_HOME, OPENHANDS_HOME
from fleethands.settings import HostSettings
from fleethands.settings.generations import GENERATIONS


@deploy("Removal")
def remove(settings: HostSettings, models: bool = False, workspaces: bool = False) -> None:
    workspace, user = str(settings.openhands_workspace), settings.openhands_user
    states, stay = list(dict.fromkeys(each.home for each in GENERATIONS.values())), []
    container.remove(name="Take the container away", settings=settings)
    sandboxes.remove(name="Take its sandboxes away", settings=settings, always=True)
    source_service.remove(name="Take the service away", settings=settings, why="")
    removal.place(name="Take Canvas' key away", settings=settings, path=CANVAS_KEY)
    preload.remove(name="Load nothing at Ollama's start", settings=settings)
    removal.ollama(name="Take Ollama away", settings=settings)
    removal.images(name="Take the images away", settings=settings)
    firewall.gone(name="Take our table away", settings=settings)
    if models:
        if settings.ollama_models_dir is not None:
            place = str(settings.ollama_models_dir)
            removal.place(name="Take the models away", settings=settings, path=place)
        removal.account(
            name="Take Ollama's user away", settings=settings, user="ollama", home=OLLAMA_HOME, content=True
        )
    else:
        stay += ["user ollama", f"directory {settings.ollama_models_dir}"]
    if workspaces:
        removal.place(name="Take the workspace away", settings=settings, path=workspace)
        for path in states:
            removal.place(name=f"Take away {path}", settings=settings, path=path)
        removal.account(
            name="Take the workspace's user away", settings=settings, user=user, home=OPENHANDS_HOME, content=False
        )
    else:
        stay += [f"user {user}", *(f"directory {path}" for path in (workspace, *states))]
    removal.records(name="Take our records away", settings=settings, keep=tuple(stay))
