"""Run OpenHands with the model selected, and a workspace that its user owns."""

import hashlib

from pyinfra.context import ctx_host

from fleethands import paths
from fleethands.deploy_options import DeployOptions
from fleethands.operations.openhands import (
    build_from_source,
    container,
    image_tag,
    sandboxes,
    select_model,
    source_service,
)
from fleethands.operations.system import system
from fleethands.settings import HostSettings, Secret
from fleethands.settings.generations import API_KEY, SOURCE_V0
from fleethands.settings.openhands import base_url, generation_of, model_string
from fleethands.tasks import docker, firewall, models, ollama, preflight, render
from fleethands.tasks.task import task
from fleethands.text.systemd import file_assignment


@task("OpenHands", preflight.check, docker.install, firewall.close, ollama.serve, models.pull)
def serve(settings: HostSettings, image: str = "") -> None:
    """
    Run the declared OpenHands, or remove it where `openhands_flavor` is off.

    + image: id of the image that the declared tag has to mean; empty: any
    """
    if settings.openhands_flavor == "off":
        container.remove(name="Remove the container", settings=settings)
        source_service.remove(name="Remove the service", settings=settings)
        return
    user, workspace = settings.openhands_user, str(settings.openhands_workspace)
    home = paths.OPENHANDS_HOME
    system.create_user(name="Create the workspace's user", settings=settings, user=user, home=home, roots_home=True)
    if settings.openhands_flavor == "source":
        _serve_from_source(settings, user, workspace)
    else:
        state = generation_of(settings).directory
        # their owner is the user of the image, which is known after the pull
        system.create_directory(name="Create the workspace", settings=settings, path=workspace, owner=None, mode="0755")
        system.create_directory(
            name="Create the state directory", settings=settings, path=state, owner=None, mode="0700"
        )
        if image:
            image_tag.retag_image(name="Restore the image's tag", settings=settings, image=image)
        newest = DeployOptions.from_host(ctx_host.get()).check_tags.get(settings.declared_image, "")
        container.serve(name="Run the container", settings=settings, same=bool(image), newest=newest)
    select_model.select_model(name="Choose the model", settings=settings)


@task("OpenHands")
def remove_sandboxes(settings: HostSettings) -> None:
    """Remove the sandboxes that V1 left behind. Runs after the proof, and before their ports are opened."""
    sandboxes.remove(name="Remove its sandboxes", settings=settings)


def _serve_from_source(settings: HostSettings, user: str, workspace: str) -> None:
    era = generation_of(settings)
    variables = settings.openhands_variables
    secret = {name for name, value in settings.openhands_env.items() if isinstance(value, Secret)}
    lines = {name: f"{file_assignment(name, value)}\n" for name, value in variables.items()}
    environment = "".join(lines.values())
    config = render(
        "config.toml.j2", workspace=workspace, state=era.directory,
        model=model_string(settings), base_url=base_url(settings) + "/v1", api_key=API_KEY,
    )  # fmt: skip
    # every user may read the unit, and a digest of a secret would help to guess it
    read = "".join(line for name, line in lines.items() if name not in secret) + (config if era is SOURCE_V0 else "")
    unit = render(
        "openhands.service.j2", root=settings.openhands_root, home=era.home, workspace=workspace, user=user,
        bind=settings.openhands_bind, port=settings.openhands_port, inner=era.inner,
        unit=paths.OPENHANDS_UNIT, started=paths.OPENHANDS_STARTED, built=settings.openhands_built,
        key_file=paths.CANVAS_KEY if era.needs_key else "", environment_file=paths.OPENHANDS_ENVIRONMENT,
        revision=hashlib.sha256(read.encode(errors="surrogateescape")).hexdigest()[:16],
    )  # fmt: skip
    # the script that starts the service gives them to its user, with the files of the previous service
    system.create_directory(name="Create the workspace", settings=settings, path=workspace, owner=None, mode="0755")
    system.create_directory(name=f"Create {era.home}", settings=settings, path=era.home, owner=None, mode="0700")
    build_from_source.build(name="Build OpenHands", settings=settings)
    source_service.serve(
        name="Run the service",
        settings=settings,
        text=unit,
        environment=environment,
        config=config if era is SOURCE_V0 else "",
        shown=frozenset(variables) - secret,
    )
