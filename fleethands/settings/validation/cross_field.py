"""Checks settings against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleethands.settings.expected import InvalidValue
from fleethands.settings.host import OLLAMA_IMAGE, HostSettings
from fleethands.settings.openhands import inner_ports, rehearsal_ports
from fleethands.settings.schema import ollama_env, ollama_env_releases, openhands_env
from fleethands.settings.validation.encodable import unencodable_variables
from fleethands.settings.validation.errors import show_value
from fleethands.settings.validation.gateway import find_conflicts_of_gateway
from fleethands.settings.validation.gateway_page import find_conflicts_of_gateway_page
from fleethands.settings.validation.metrics import find_conflicts_of_metrics
from fleethands.settings.validation.sentinel import find_conflicts_of_sentinel
from fleethands.settings.validation.unsupported import find_unsupported
from fleethands.settings.values.images import is_tagged, locate_image
from fleethands.settings.values.secret import MASK, Secret

SLOWEST_SHARE = 2 << 20  # bytes a second; a piece may take 5 s (operations/share/neighbors.pl), for two hosts at once
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104


@dataclass(frozen=True)
class Conflict:
    """
    One mistake that follows from several settings.

    + reads: the settings that it follows from; it is not reported if one of them is invalid itself
    """

    path: str
    problem: str
    reads: frozenset[str]


def find_conflicts(settings: HostSettings) -> Iterator[Conflict]:
    """All conflicts between settings whose values are valid."""
    yield from _model(settings)
    yield from _run(settings)
    yield from _port(settings)
    yield from _bound(settings)
    yield from _twice(settings)
    yield from _overlap(settings)
    yield from _source(settings)
    yield from _flavor(settings)
    yield from _secrets(settings)
    yield from _unread(settings)
    yield from _shared(settings)
    found = (*find_conflicts_of_gateway(settings), *find_conflicts_of_metrics(settings))
    found = (*found, *find_conflicts_of_gateway_page(settings))
    for path, problem, reads in (*found, *find_conflicts_of_sentinel(settings)):
        yield _conflict(path, problem, *reads)
    for path, problem in unencodable_variables(settings):
        yield _conflict(path, problem, "ollama_env")
    for path, problem in find_unsupported(settings):
        yield _conflict(path, problem, "openhands_flavor")


def _conflict(path: str, problem: str, *reads: str) -> Conflict:
    return Conflict(path, problem, frozenset({path.partition(".")[0], *reads}))


def _model(settings: HostSettings) -> Iterator[Conflict]:
    if settings.openhands_flavor != "off" and settings.model is None:
        problem = 'expected at least one, such as `["codellama:7b"]`: OpenHands needs a model'
        yield _conflict("models", problem, "openhands_model", "openhands_flavor")


def _shared(settings: HostSettings) -> Iterator[Conflict]:
    if settings.share and settings.site is None:
        problem = "expected a name such as `office-2`, because `share` is True: only hosts of one site share downloads"
        yield _conflict("site", problem, "share")
    if settings.share_limit is not None and settings.share_limit < SLOWEST_SHARE:
        problem = "expected at least `2 MiB/s`: hosts leave a neighbor that sends less"
        yield _conflict("share_limit", f"{problem}, got {show_value('share_limit', settings.share_limit)}")


def _run(settings: HostSettings) -> Iterator[Conflict]:
    """Settings of a runtime of Ollama that is not declared."""
    for key, run in (("ollama_address", "external"), ("ollama_image", "container")):
        value = getattr(settings, key)
        if value is not None and settings.ollama_runtime != run:
            problem = f"expected only where `ollama_runtime` is `{run}`, got {show_value(key, value)}"
            yield _conflict(key, problem, "ollama_runtime")
    if settings.ollama_runtime == "external" and settings.ollama_address is None:
        problem = "expected an address such as `http://10.0.0.5:11434`, because `ollama_runtime` is `external`"
        yield _conflict("ollama_address", problem, "ollama_runtime")
    image, version = settings.ollama_image, settings.ollama_version
    if image is not None and is_tagged(image) and not _is_of(version, locate_image(image)[2]):
        problem = f"expected a tag of the release in `ollama_version`, such as `{OLLAMA_IMAGE}:{version}`"
        yield _conflict("ollama_image", f"{problem}, got {show_value('ollama_image', image)}", "ollama_version")
    for index, model in enumerate(settings.models):
        if model.modelfile is not None and not settings.manages_ollama:
            problem = "expected no Modelfile, because `ollama_runtime` is `external`: fleethands builds no model there"
            yield Conflict(f"models.{index}.modelfile", problem, frozenset({"ollama_runtime"}))


def _is_of(version: str, tag: str) -> bool:
    return tag == version or tag.startswith(f"{version}-")


def _port(settings: HostSettings) -> Iterator[Conflict]:
    ollama = settings.ollama_host.port if settings.manages_ollama else None
    if settings.openhands_flavor != "off" and settings.openhands_port == ollama:
        problem = f"expected another port than that of `ollama_host`, got `{settings.openhands_port}`"
        yield _conflict("openhands_port", problem, "ollama_host", "openhands_flavor")
    taken = {*inner_ports(settings), *rehearsal_ports(settings)}
    for key, port in (("openhands_port", settings.openhands_port), ("ollama_host", ollama)):
        if port in taken:
            problem = f"expected a port that Agent Canvas does not use itself, got `{port}`"
            yield _conflict(key, problem, "openhands_flavor")


def _bound(settings: HostSettings) -> Iterator[Conflict]:
    """Agent Canvas from source ignores `openhands_bind`, so only the firewall can close it."""
    if inner_ports(settings) and not settings.firewall and settings.openhands_bind not in EVERYWHERE:
        problem = (
            "expected True, or `openhands_bind`: `0.0.0.0`, because `openhands_flavor` is `source`: Agent Canvas "
            "always listens on every address; got `False`"
        )
        yield _conflict("firewall", problem, "openhands_bind", "openhands_flavor")


def _twice(settings: HostSettings) -> Iterator[Conflict]:
    seen: dict[str, int] = {}
    for index, model in enumerate(settings.models):
        name = str(model.name)
        if name in seen:
            yield Conflict(f"models.{index}", f"expected each model once, got `{name}`", frozenset())
        seen.setdefault(name, index)


def _overlap(settings: HostSettings) -> Iterator[Conflict]:
    """Models that an agent could replace, or files of an agent in the directory of the models."""
    models, workspace = settings.ollama_models_dir, settings.openhands_workspace
    if settings.openhands_flavor == "off" or models is None or not settings.manages_ollama:
        return
    if models.is_relative_to(workspace) or workspace.is_relative_to(models):
        problem = (
            f"expected a directory apart from `ollama_models_dir`, such as `/srv/workspace`, got `{workspace}`: "
            f"an agent could replace the models in `{models}`"
        )
        yield _conflict("openhands_workspace", problem, "ollama_models_dir", "openhands_flavor")


def _source(settings: HostSettings) -> Iterator[Conflict]:
    for key in ("openhands_repo", "openhands_ref"):
        value = getattr(settings, key)
        if value is not None and settings.openhands_flavor != "source":
            problem = f"expected only where `openhands_flavor` is `source`, got {show_value(key, value)}"
            yield _conflict(key, problem, "openhands_flavor")


def _flavor(settings: HostSettings) -> Iterator[Conflict]:
    canvas = "agent-canvas" in settings.openhands_image
    if settings.openhands_flavor == "gui" and canvas:
        problem = f"expected an image of the web app, or `openhands_flavor`: `canvas`, got `{settings.openhands_image}`"
        yield _conflict("openhands_image", problem, "openhands_flavor")
    if settings.openhands_generation is not None and settings.openhands_flavor not in {"gui", "source"}:
        problem = f"expected only where `openhands_flavor` is `gui` or `source`, got `{settings.openhands_generation}`"
        yield _conflict("openhands_generation", problem, "openhands_flavor")


def _unread(settings: HostSettings) -> Iterator[Conflict]:
    if not settings.manages_ollama:
        return
    for name, why in ollama_env_releases.find_unread(settings.ollama_env, settings.ollama_version):
        path = f"ollama_env.{name}"
        problem = f"{why}, got {show_value(path, settings.ollama_env[name])}"
        yield Conflict(path, problem, frozenset({"ollama_version"}))


def _secrets(settings: HostSettings) -> Iterator[Conflict]:
    of_ollama = settings.ollama_env if settings.manages_ollama else {}
    for key, values in (("ollama_env", of_ollama), ("openhands_env", settings.openhands_env)):
        for name, value in values.items():
            if isinstance(value, Secret) and (problem := _unfit(key, name, value)):
                yield Conflict(f"{key}.{name}", problem, frozenset())


def _unfit(key: str, name: str, secret: Secret) -> str:
    try:
        value = secret.reveal()
    except ValueError as error:
        return str(error)
    try:
        if key == "ollama_env":
            ollama_env.check_value(name, value)
        else:
            openhands_env.check_value(value)
    except InvalidValue as error:
        return error.got(f"`{MASK}`")
    return ""
