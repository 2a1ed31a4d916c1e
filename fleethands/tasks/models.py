"""Pull, create, preload and prune the models of the settings."""

from pyinfra.context import ctx_host

from fleethands.deploy_options import DeployOptions
from fleethands.operations.models import modelfiles, models, preload
from fleethands.paths import PRELOAD
from fleethands.settings import HostSettings
from fleethands.settings.values import modelfile
from fleethands.tasks import docker, firewall, ollama, preflight, render
from fleethands.tasks.task import task


@task("Models", preflight.check, docker.install, firewall.close, ollama.serve)
def pull(settings: HostSettings) -> None:
    """Pull and create the declared models, preload those that say so, and remove others if `models_prune` is on."""
    files = modelfile.load_modelfiles(settings)
    upstream = DeployOptions.from_host(ctx_host.get()).check_tags
    models.pull(name="Pull what is missing", settings=settings, modelfiles=files, upstream=upstream)
    modelfiles.build(name="Create models from Modelfiles", settings=settings, modelfiles=files)
    unit = render("preload.service.j2", script=PRELOAD)
    preload.load(name="Load at Ollama's start", settings=settings, unit=unit)
    models.prune(name="Remove what is not listed", settings=settings, modelfiles=files)
