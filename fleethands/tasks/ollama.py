"""Run the declared Ollama, now and after every boot."""

import hashlib

from pyinfra.api import deploy
from pyinfra.context import ctx_host

from fleethands import facts
from fleethands.deploy_options import DeployOptions
from fleethands.operations.ollama import adoption, external, image, release, service
from fleethands.operations.ollama.desired_process import REVISION
from fleethands.operations.ollama.gpus import container_arguments
from fleethands.operations.ollama.service import LABEL
from fleethands.operations.system import access, system
from fleethands.paths import (
    BINARY,
    DOCKER_SERVICE,
    OLLAMA_CONTAINER,
    OLLAMA_HOME,
    OLLAMA_OVERRIDE,
    OLLAMA_SECRETS,
    OLLAMA_UNIT,
)
from fleethands.settings import HostSettings
from fleethands.tasks import render

OWNER = "ollama:ollama"


@deploy("Ollama")
def serve(settings: HostSettings, image_id: str = "") -> None:
    """
    + image_id: id of the image that the declared name has to mean; empty: any
    """
    if not settings.manages_ollama:
        external.use(name="Check the external Ollama", settings=settings)
        return
    home, own_home = homes(settings)
    unit = render_unit(settings, home, own_home)
    revision = _revision(
        settings.ollama_version, unit, *(text or "" for text in render_variables(settings, revision=""))
    )
    override, secrets = render_variables(settings, revision)

    _create_account(settings, home)
    access.own_models(name="Give it its models", settings=settings)
    if settings.ollama_declared_image:
        newest = DeployOptions.from_host(ctx_host.get()).check_tags.get(settings.ollama_declared_image, "")
        image.pull(name="Pull its image", settings=settings, same=image_id, newest=newest)
    else:
        release.install(name="Install the pinned release", settings=settings)
    _write_unit(settings, unit, override, secrets)
    service.serve(name="Serve this revision", settings=settings, revision=revision)
    adoption.clear_libraries(name="Move the adopted libraries aside", settings=settings)


def _create_account(settings: HostSettings, home: str) -> None:
    """The user of the service and its directories. A foreign Ollama is adopted between the two."""
    system.create_user(
        name="Create the service user",
        settings=settings,
        user="ollama",
        home=home,
        groups=("render", "video"),
    )
    adoption.adopt(name="Adopt the existing Ollama", settings=settings)
    system.create_directory(name="Create its home", settings=settings, path=home, owner=OWNER, mode=None)
    if settings.ollama_models_dir is not None:
        place = str(settings.ollama_models_dir)
        system.create_directory(
            name="Create the models' directory", settings=settings, path=place, owner=OWNER, mode="0755"
        )


def _write_unit(settings: HostSettings, unit: str, override: str, secrets: str | None) -> None:
    system.write_file(name="Write the unit", settings=settings, path=OLLAMA_UNIT, content=unit)
    system.write_file(
        name="Write its secrets",
        settings=settings,
        path=OLLAMA_SECRETS,
        content=secrets,
        mode="0600",
        shown=frozenset(),
    )
    system.write_file(
        name="Write the override",
        settings=settings,
        path=OLLAMA_OVERRIDE,
        content=override,
        shown=shown_variables(settings),
    )


def render_unit(settings: HostSettings, home: str, own_home: str) -> str:
    """The unit of Ollama, or of its container, with the GPUs of the host."""
    models_dir = settings.ollama_models_dir
    if not settings.ollama_declared_image:
        return render("ollama.service.j2", binary=BINARY, home=home, own_home=own_home, models_dir=models_dir)
    try:
        probe = facts.get_probe(settings)
        engine, passed = probe.docker.engine.unit or DOCKER_SERVICE, container_arguments(settings, probe)
    except (facts.ProbeError, facts.UnknownSection):
        engine, passed = DOCKER_SERVICE, ()  # as above
    return render(
        "ollama-container.service.j2",
        image=settings.ollama_declared_image,
        docker=engine,
        gpus=passed,
        home=home,
        models_dir=models_dir,
        name=OLLAMA_CONTAINER,
        label=LABEL,
    )


@deploy("Ollama")
def remove_unused(settings: HostSettings) -> None:
    """Remove the managed Ollama if an external one is declared. Runs after the proof."""
    if not settings.manages_ollama:
        external.remove_managed(name="Remove the managed Ollama", settings=settings)


def homes(settings: HostSettings) -> tuple[str, str]:
    """The home of Ollama's service, and that of its user."""
    try:
        probe = facts.get_probe(settings)
        account = probe.accounts.users.get("ollama")
    except (facts.ProbeError, facts.UnknownSection):
        return OLLAMA_HOME, OLLAMA_HOME  # each operation refuses this host with the reason
    return probe.home, account.home if account else probe.home


def render_variables(settings: HostSettings, revision: str) -> tuple[str, str | None]:
    """
    The override, and the file of secrets that it names; None without secrets.

    + revision: if there are secrets, it is stored with them, because it would help to guess them
    """
    everything, hidden = settings.ollama_environment, settings.ollama_secrets
    plain = {name: value for name, value in everything.items() if name not in hidden}
    if not hidden:
        return render("override.conf.j2", environment=plain, secrets_file="", revision=revision), None
    secrets = {name: value for name, value in everything.items() if name in hidden}
    return (
        render("override.conf.j2", environment=plain, secrets_file=OLLAMA_SECRETS, revision=""),
        render("ollama.env.j2", secrets=secrets, revision=revision),
    )


def shown_variables(settings: HostSettings) -> frozenset[str]:
    """Names of the variables of the override that are no secrets."""
    return frozenset(settings.ollama_environment) - settings.ollama_secrets | {REVISION}


def _revision(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]
