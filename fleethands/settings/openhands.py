"""What OpenHands on a host is, by the host's settings."""

from __future__ import annotations

from fleethands.settings.generations import (
    CANVAS,
    EDITOR,
    GENERATIONS,
    HOST_NAME,
    INNER_PORTS,
    REHEARSAL_PORTS,
    SOURCE,
    SOURCE_V0,
    V1,
    Generation,
    generation_of_image,
)
from fleethands.settings.host import HostSettings
from fleethands.settings.values.images import is_image
from fleethands.settings.values.names import from_container


def generation_of(settings: HostSettings) -> Generation:
    """The generation that a host runs: the declared one, or the image's."""
    if settings.openhands_flavor == "source":
        return SOURCE_V0 if settings.openhands_source.generation == "v0" else SOURCE
    if settings.openhands_flavor == "canvas":
        return CANVAS
    declared = settings.openhands_generation
    return GENERATIONS[declared] if declared else generation_of_image(settings.openhands_image)


def inner_ports(settings: HostSettings) -> tuple[int, ...]:
    """Ports of a host that OpenHands' parts use between each other."""
    return INNER_PORTS if settings.openhands_flavor == "source" and generation_of(settings).inner else ()


def ports_inside(settings: HostSettings) -> tuple[int, ...]:
    """Ports that OpenHands listens on in its container."""
    if not settings.container_image:
        return ()
    generation = generation_of(settings)
    inner = INNER_PORTS if generation.api == "canvas" else ()  # the same as without a container
    return tuple(sorted({generation.inside, *inner}))


def rehearsal_ports(settings: HostSettings) -> tuple[int, ...]:
    """Ports that a build under test opens on every address of a host."""
    _, backend, *_ = REHEARSAL_PORTS
    return (*REHEARSAL_PORTS, backend + EDITOR) if inner_ports(settings) else ()


SANDBOX_IMAGES = {  # app_server/sandbox/sandbox_spec_service.py in the wheel of that release
    "1.11": "ghcr.io/openhands/agent-server:1.34.0-python",
    "1.11.0": "ghcr.io/openhands/agent-server:1.34.0-python",
}


def has_sandboxes(settings: HostSettings) -> bool:
    """Whether OpenHands starts a container of V1 for each conversation."""
    return settings.openhands_flavor == "gui" and generation_of(settings) is V1


def sandbox_image(settings: HostSettings) -> str | None:
    """The image of V1's sandboxes, if it can be known without the app: declared, or of a listed release."""
    if not has_sandboxes(settings):
        return None
    names = ("AGENT_SERVER_IMAGE_REPOSITORY", "AGENT_SERVER_IMAGE_TAG")
    repository, tag = (settings.openhands_env.get(name) for name in names)
    if repository is None and tag is None:
        return SANDBOX_IMAGES.get(settings.openhands_image.partition("@")[0].rpartition(":")[2])
    declared = f"{repository}:{tag}"
    return declared if isinstance(repository, str) and isinstance(tag, str) and is_image(declared) else None


def has_unknown_sandboxes(settings: HostSettings) -> bool:
    """Whether only the app of OpenHands knows the image of its sandboxes."""
    return has_sandboxes(settings) and sandbox_image(settings) is None


def base_url(settings: HostSettings) -> str:
    """The address of Ollama for OpenHands: from its container, or on the host itself."""
    url = settings.ollama_client_url
    if settings.openhands_flavor == "source":
        return url
    if settings.manages_ollama:
        return f"http://{HOST_NAME}:{settings.ollama_host.port}"
    return from_container(url, HOST_NAME)


def model_string(settings: HostSettings) -> str:
    """`openai/NAME`. With `ollama/NAME` litellm sends no tools, and the agent is only a chatbot."""
    return f"openai/{settings.model}"
