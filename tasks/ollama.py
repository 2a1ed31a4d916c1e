"""Ollama answers on its address, at the pinned release, after every boot."""

import hashlib

from pyinfra.api import deploy

from fleethands.operations import adoption, ollama, release, system
from fleethands.operations.ollama import REVISION
from fleethands.paths import BINARY, OLLAMA_HOME, OLLAMA_OVERRIDE, OLLAMA_UNIT
from fleethands.settings import HostSettings, Secret
from tasks import render

OWNER = "ollama:ollama"


@deploy("Ollama")
def serve(settings: HostSettings) -> None:
    unit = render("ollama.service.j2", binary=BINARY, home=OLLAMA_HOME, models_dir=settings.ollama_models_dir)
    environment = settings.ollama_environment
    revision = _revision(
        settings.ollama_version, unit, render("override.conf.j2", environment=environment, revision="")
    )
    override = render("override.conf.j2", environment=environment, revision=revision)
    secret = any(isinstance(value, Secret) for value in settings.ollama_env.values())

    system.user(
        name="Create the service user",
        settings=settings,
        user="ollama",
        home=OLLAMA_HOME,
        groups=("render", "video"),
    )
    adoption.adopted(name="Adopt the Ollama that is there", settings=settings)
    system.directory(name="Own its home", settings=settings, path=OLLAMA_HOME, owner=OWNER, mode=None)
    if settings.ollama_models_dir is not None:
        place = str(settings.ollama_models_dir)
        system.directory(name="Make the models' directory", settings=settings, path=place, owner=OWNER, mode="0755")
    release.release(name="Install the pinned release", settings=settings)
    system.file(name="Write the unit", settings=settings, path=OLLAMA_UNIT, content=unit)
    system.file(
        name="Write the override",
        settings=settings,
        path=OLLAMA_OVERRIDE,
        content=override,
        mode="0600" if secret else "0644",
        shown=shown(settings),
    )
    ollama.serve(name="Serve this revision", settings=settings, revision=revision)
    adoption.cleared(name="Put the adopted libraries aside", settings=settings)


def shown(settings: HostSettings) -> frozenset[str]:
    """Names of the override's variables whose values may be seen."""
    secret = {name for name, value in settings.ollama_env.items() if isinstance(value, Secret)}
    return frozenset(settings.ollama_environment) - secret | {REVISION}


def _revision(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]
