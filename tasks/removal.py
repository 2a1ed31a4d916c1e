"""What the other tasks put on a host is taken away; models and workspaces stay unless they are named."""

from pyinfra.api import deploy

from fleethands.operations.firewall import firewall
from fleethands.operations.models import preload
from fleethands.operations.ollama import remove_ollama
from fleethands.operations.openhands import container, sandboxes, source_service
from fleethands.operations.removal import removal
from fleethands.paths import CANVAS_KEY, OLLAMA_HOME, OPENHANDS_HOME
from fleethands.settings import HostSettings
from fleethands.settings.generations import GENERATIONS


@deploy("Removal")
def remove(settings: HostSettings, models: bool = False, workspaces: bool = False) -> None:
    workspace, user = str(settings.openhands_workspace), settings.openhands_user
    states, stay = list(dict.fromkeys(each.home for each in GENERATIONS.values())), []
    container.remove(name="Remove the container", settings=settings)
    sandboxes.remove(name="Remove V1's sandboxes", settings=settings, always=True)
    source_service.remove(name="Remove the service", settings=settings, why="")
    removal.remove_path(name="Take Canvas' key away", settings=settings, path=CANVAS_KEY)
    preload.remove(name="Load nothing at Ollama's start", settings=settings)
    remove_ollama.remove(name="Take Ollama away", settings=settings)
    removal.remove_images(name="Take the images away", settings=settings)
    firewall.remove_table(name="Take our table away", settings=settings)
    if models:
        if settings.ollama_models_dir is not None:
            place = str(settings.ollama_models_dir)
            removal.remove_path(name="Take the models away", settings=settings, path=place)
        removal.remove_account(
            name="Take Ollama's user away", settings=settings, user="ollama", home=OLLAMA_HOME, content=True
        )
    else:
        stay += ["user ollama", f"directory {settings.ollama_models_dir}"]
    if workspaces:
        removal.remove_path(name="Take the workspace away", settings=settings, path=workspace)
        for path in states:
            removal.remove_path(name=f"Take away {path}", settings=settings, path=path)
        removal.remove_account(
            name="Take the workspace's user away", settings=settings, user=user, home=OPENHANDS_HOME, content=False
        )
    else:
        stay += [f"user {user}", *(f"directory {path}" for path in (workspace, *states))]
    removal.remove_records(name="Take our records away", settings=settings, keep=tuple(stay))
