"""Run the declared Ollama, now and after every boot."""

import hashlib
from dataclasses import dataclass

from pyinfra.context import ctx_host

from fleethands import facts
from fleethands.deploy_options import DeployOptions
from fleethands.operations.core.late import Late
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
from fleethands.tasks import docker, firewall, preflight, render
from fleethands.tasks.task import task

OWNER = "ollama:ollama"


@dataclass(frozen=True)
class ServiceFiles:
    """
    The files of Ollama's service on one host.

    + home: of the service
    + secrets: None if it has none
    + revision: a digest of them all
    """

    home: str
    unit: str
    override: str
    secrets: str | None
    revision: str


@task("Ollama", preflight.check, docker.install, firewall.close)
def serve(settings: HostSettings, image_id: str = "") -> None:
    """
    Run the declared Ollama, or check the external one.

    + image_id: id of the image that the declared name has to mean; empty: any
    """
    if not settings.manages_ollama:
        external.use(name="Check the external Ollama", settings=settings)
        return
    files = Late(lambda: render_files(settings))

    _create_account(settings, files.map(lambda found: found.home))
    access.own_models(name="Give it its models", settings=settings)
    if settings.ollama_declared_image:
        newest = DeployOptions.from_host(ctx_host.get()).check_tags.get(settings.ollama_declared_image, "")
        image.pull(name="Pull its image", settings=settings, same=image_id, newest=newest)
    else:
        release.install(name="Install the pinned release", settings=settings)
    _write_unit(settings, files)
    service.serve(name="Serve this revision", settings=settings, revision=files.map(lambda found: found.revision))
    adoption.clear_libraries(name="Move the adopted libraries aside", settings=settings)


def _create_account(settings: HostSettings, home: Late[str]) -> None:
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


def _write_unit(settings: HostSettings, files: Late[ServiceFiles]) -> None:
    unit = files.map(lambda found: found.unit)
    system.write_file(name="Write the unit", settings=settings, path=OLLAMA_UNIT, content=unit)
    system.write_file(
        name="Write its secrets",
        settings=settings,
        path=OLLAMA_SECRETS,
        content=files.map(lambda found: found.secrets),
        mode="0600",
        shown=frozenset(),
    )
    system.write_file(
        name="Write the override",
        settings=settings,
        path=OLLAMA_OVERRIDE,
        content=files.map(lambda found: found.override),
        shown=shown_variables(settings),
    )


def render_files(settings: HostSettings) -> ServiceFiles:
    """The files for the context's host, as it is now."""
    home, own_home = homes(settings)
    unit = render_unit(settings, home, own_home)
    texts = render_variables(settings, revision="")
    revision = _revision(settings.ollama_version, unit, *(text or "" for text in texts))
    override, secrets = render_variables(settings, revision)
    return ServiceFiles(home, unit, override, secrets, revision)


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


@task("Ollama")
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
    plain = tuple((name, value) for name, value in everything.items() if name not in hidden)
    if not hidden:
        return render("override.conf.j2", environment=plain, secrets_file="", revision=revision), None
    secrets = tuple((name, value) for name, value in everything.items() if name in hidden)
    return (
        render("override.conf.j2", environment=plain, secrets_file=OLLAMA_SECRETS, revision=""),
        render("ollama.env.j2", secrets=secrets, revision=revision),
    )


def shown_variables(settings: HostSettings) -> frozenset[str]:
    """Names of the variables of the override that are no secrets."""
    return frozenset(settings.ollama_environment) - settings.ollama_secrets | {REVISION}


def _revision(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]
