"""OpenHands runs against this host's Ollama, with the model already chosen and the workspace its user's own."""

import hashlib

from pyinfra.api import deploy

from fleethands import paths
from fleethands.operations import choice, openhands, source, system
from fleethands.settings import HostSettings, Secret
from fleethands.settings.openhands import generation_of
from fleethands.systemd import file_assignment
from tasks import render


@deploy("OpenHands")
def serve(settings: HostSettings, image: str = "") -> None:
    if settings.openhands_flavor == "off":
        openhands.gone(name="Take the container away", settings=settings)
        source.gone(name="Take the service away", settings=settings)
        return
    user, workspace = settings.openhands_user, str(settings.openhands_workspace)
    system.user(name="Create the workspace's user", settings=settings, user=user, home=paths.OPENHANDS_HOME)
    if settings.openhands_flavor == "source":
        _serve_from_source(settings, user, workspace)
    else:
        state = generation_of(settings).directory
        # whose they are follows from who works in them, which the container's image tells
        system.directory(name="Make the workspace", settings=settings, path=workspace, owner=None, mode="0755")
        system.directory(name="Make the state directory", settings=settings, path=state, owner=None, mode="0700")
        if image:
            openhands.named(name="Name the image of then", settings=settings, image=image)
        openhands.serve(name="Run the container", settings=settings, same=bool(image))
    choice.chosen(name="Choose the model", settings=settings)


def _serve_from_source(settings: HostSettings, user: str, workspace: str) -> None:
    era, owner = generation_of(settings), f"{user}:{user}"
    root = f"{paths.OPENHANDS_SOURCE}/{settings.openhands_release}"
    variables = settings.openhands_variables
    secret = {name for name, value in settings.openhands_env.items() if isinstance(value, Secret)}
    environment = "".join(f"{file_assignment(name, value)}\n" for name, value in variables.items())
    unit = render(
        "openhands.service.j2", root=root, home=era.home, workspace=workspace, user=user, port=settings.openhands_port,
        release=settings.openhands_release, unit=paths.OPENHANDS_UNIT, started=paths.OPENHANDS_STARTED,
        key_file=paths.CANVAS_KEY, environment_file=paths.OPENHANDS_ENVIRONMENT,
        revision=hashlib.sha256(environment.encode(errors="surrogateescape")).hexdigest()[:16],
    )  # fmt: skip
    system.packages(name="Install what it needs", settings=settings, wanted=("git", "python3-venv", "tmux"))
    system.directory(name="Make the workspace", settings=settings, path=workspace, owner=owner, mode="0755")
    for path in (era.home, era.directory):
        system.directory(name=f"Make {path}", settings=settings, path=path, owner=owner, mode="0700")
    source.built(name="Build the release", settings=settings)
    system.file(
        name="Write its variables",
        settings=settings,
        path=paths.OPENHANDS_ENVIRONMENT,
        content=environment,
        mode="0600",
        shown=frozenset(variables) - secret,
    )
    source.serve(name="Run the service", settings=settings, text=unit)
