"""Remove what the other tasks put on a host. Models and workspaces stay unless they are requested."""

from fleethands.operations.firewall import firewall
from fleethands.operations.metrics import metrics
from fleethands.operations.models import preload
from fleethands.operations.ollama import remove_ollama
from fleethands.operations.openhands import container, sandboxes, source_service
from fleethands.operations.removal import removal
from fleethands.operations.sentinel import sentinel
from fleethands.paths import CANVAS_KEY, OLLAMA_HOME, OPENHANDS_HOME
from fleethands.settings import HostSettings
from fleethands.settings.generations import GENERATIONS
from fleethands.tasks import gateway
from fleethands.tasks.task import task


@task("Removal")
def remove(settings: HostSettings, models: bool = False, workspaces: bool = False) -> None:
    workspace, user = str(settings.openhands_workspace), settings.openhands_user
    states, stay = list(dict.fromkeys(each.home for each in GENERATIONS.values())), []
    sentinel.remove(name="Stop the sentinel", settings=settings)
    container.remove(name="Remove the container", settings=settings)
    sandboxes.remove(name="Remove its sandboxes", settings=settings, always=True)
    source_service.remove(name="Remove the service", settings=settings, why="")
    removal.remove_path(name="Remove Canvas' key", settings=settings, path=CANVAS_KEY)
    metrics.remove(name="Remove the metrics", settings=settings)
    gateway.remove(settings)
    preload.remove(name="Stop preloading models", settings=settings)
    remove_ollama.remove(name="Remove Ollama", settings=settings)
    removal.remove_images(name="Remove the images", settings=settings)
    firewall.remove_table(name="Remove the table", settings=settings)
    if models:
        if settings.ollama_models_dir is not None:
            place = str(settings.ollama_models_dir)
            removal.remove_path(name="Remove the models", settings=settings, path=place)
        removal.remove_account(
            name="Remove Ollama's user", settings=settings, user="ollama", home=OLLAMA_HOME, content=True
        )
    else:
        stay += ["user ollama", f"directory {settings.ollama_models_dir}"]
    if workspaces:
        removal.remove_path(name="Remove the workspace", settings=settings, path=workspace)
        for path in states:
            removal.remove_path(name=f"Remove {path}", settings=settings, path=path)
        removal.remove_account(
            name="Remove the workspace's user", settings=settings, user=user, home=OPENHANDS_HOME, content=False
        )
    else:
        stay += [f"user {user}", *(f"directory {path}" for path in (workspace, *states))]
    removal.remove_records(name="Remove the records", settings=settings, keep=tuple(stay))
