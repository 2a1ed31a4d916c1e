"""The generations of OpenHands: what each reads, where it keeps what it writes and how it is asked, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleethands import paths
from fleethands.settings.host import HostSettings
from fleethands.settings.values.images import is_image
from fleethands.settings.values.names import from_container

HOST_NAME = "host.docker.internal"
API_KEY = "ollama"  # Ollama checks none; OpenHands wants one


@dataclass(frozen=True)
class Sandboxes:
    """
    Ports that a web app's sandboxes publish on every address of a host.

    + inside: in their containers
    + published: where on the host
    """

    inside: tuple[int, ...]
    published: str

    @property
    def first(self) -> int:
        """The lowest of them on the host."""
        return int(self.published.partition("-")[0])

    @property
    def sysctl(self) -> str:
        """Has the kernel choose from these in the app's container, as it does there if nobody asks otherwise."""
        return f"net.ipv4.ip_local_port_range={self.published.replace('-', ' ')}"


# app_server/sandbox/docker_sandbox_service.py, 1.11.0: V1 asks for free ports in its own container, so the host's own
# range does not count
SANDBOXES = Sandboxes((8000, 8001, 8011, 8012), "32768-60999")


@dataclass(frozen=True)
class Generation:
    """
    One generation of OpenHands, as read in or tried on the version that stands beside it.

    + inside: the port that it listens on in its container
    + state, workspace: where its container has these directories
    + ready: path of its page that answers once it can be used; settings_api: path that shows the chosen model
    + tools: it sends each model its tools; the first generation describes them to those that take none
    + socket: it starts containers of its own, through Docker's socket
    + api: generation whose API it speaks; Canvas' wants a key, and keeps what it is told encrypted
    + versions: first number of its releases
    + nested: where its state lies in a home that it has to itself
    + suffix: of the names of its directory and of our record, as no two generations read the same files
    + inner: variable → port that its parts listen on among themselves, where it runs without a container
    + sandboxes: ports of the containers that it starts, where it starts any
    """

    name: str
    inside: int
    state: str
    workspace: str
    ready: str
    settings_api: str
    socket: bool
    tools: bool
    versions: str
    api: str
    suffix: str = ""
    nested: str = ""
    settings_name: str = "settings.json"
    variables: Mapping[str, str] = field(default_factory=dict)
    inner: Mapping[str, int] = field(default_factory=dict)
    sandboxes: Sandboxes | None = None

    @property
    def needs_key(self) -> bool:
        """Whether its API wants a key."""
        return self.api == "canvas"

    @property
    def active_path(self) -> str:
        """The file on a host in which one that has profiles keeps which of them is active."""
        return f"{self.directory}/settings.json"

    @property
    def directory(self) -> str:
        """Where a host keeps its state."""
        return self.home + self.nested

    @property
    def home(self) -> str:
        """The directory that is made for it, in which that one lies."""
        return paths.OPENHANDS_STATE + self.suffix

    @property
    def settings_path(self) -> str:
        """The file on a host in which it keeps the chosen model."""
        return f"{self.directory}/{self.settings_name}"

    @property
    def seed_path(self) -> str:
        """Our record on a host of what we chose."""
        return f"{paths.OPENHANDS_SEED}{self.suffix}.json"

    @property
    def places(self) -> tuple[str, ...]:
        """Its directories and files on a host, each once."""
        found = (self.home, self.directory, self.settings_path, self.seed_path, self.active_path)
        return tuple(dict.fromkeys(found))

    def settings_file(self, model: str, base_url: str) -> dict[str, Any]:
        """The part of its settings that chooses the model."""
        if self.api == "v0":  # openhands/storage/data_models/settings.py, 0.62.0
            return {"llm_model": model, "llm_base_url": base_url, "llm_api_key": API_KEY}
        if self.needs_key:  # the API key is written encrypted (agent-server 1.44, llm profiles)
            return {"model": model, "base_url": base_url}
        # openhands/app_server/settings/settings_models.py, 1.11.0
        return {"agent_settings": {"llm": {"model": model, "base_url": base_url, "api_key": API_KEY}}}

    def first_settings(self, model: str, base_url: str) -> dict[str, Any]:
        """The whole settings for a host that has none."""
        chosen = self.settings_file(model, base_url)
        if self.api == "v0":
            return {"language": "en", "agent": "CodeActAgent", **chosen, "user_consents_to_analytics": False}
        return chosen


V0 = Generation(
    "v0",
    inside=3000,
    state="/.openhands",
    workspace="/opt/workspace_base",
    ready="/health",
    settings_api="/api/settings",
    socket=True,
    tools=False,
    versions="0",
    api="v0",
    variables={"FILE_STORE": "local", "FILE_STORE_PATH": "/.openhands"},
)
V1 = Generation(
    "v1",
    inside=3000,
    state="/.openhands",
    workspace="/workspace",
    ready="/ready",
    settings_api="/api/v1/settings",
    socket=True,
    tools=True,
    versions="1",
    api="v1",
    suffix="-v1",
    variables={
        "OH_PERSISTENCE_DIR": "/.openhands",
        "FILE_STORE_PATH": "/.openhands",
        "SANDBOX_STARTUP_GRACE_SECONDS": "180",  # its own 15 s call a healthy sandbox broken on a slow host
    },
    sandboxes=SANDBOXES,
)
CANVAS = Generation(
    "canvas",
    inside=8000,
    state="/home/openhands/.openhands",
    workspace="/projects",
    ready="/ready",
    settings_api="/api/profiles",
    socket=False,
    tools=True,
    versions="1",
    api="canvas",
    suffix="-canvas",
    settings_name="profiles/default.json",  # the profile that its built-in agent names (agent-canvas 1.16.0)
)
# its page has a server of its own, which listens on every address and leads to all the others, as its entrance does
# (scripts/dev-with-automation.mjs, static-server.mjs, ingress.mjs, 1.16.0)
INNER = {
    "OH_CANVAS_SAFE_VITE_PORT": 3001,
    "OH_CANVAS_SAFE_BACKEND_PORT": 18000,
    "OH_CANVAS_SAFE_AUTOMATION_PORT": 18001,
}
EDITOR = 1000  # its editor listens that far above the backend
INNER_PORTS = (*INNER.values(), INNER["OH_CANVAS_SAFE_BACKEND_PORT"] + EDITOR)
REHEARSAL_PORTS = (18910, 18911, 18912, 18913)  # entrance, backend, automation, page of a build that is tried
SOURCE = replace(CANVAS, name="source", suffix="-source", nested="/.openhands", inner=INNER)
SOURCE_V0 = replace(V0, name="source-v0", suffix="-source-v0", nested="/.openhands", socket=False)
GENERATIONS = {each.name: each for each in (V0, V1, CANVAS, SOURCE, SOURCE_V0)}


def generation_of_image(image: str) -> Generation:
    """The generation of an image of the web app, by its name: 1.x tags are V1, the older names and 0.x tags are V0."""
    tag = image.partition("@")[0].rpartition(":")[2]
    if re.match(r"v?1(\.|\Z)", tag):
        return V1
    if re.match(r"v?0\.", tag) or "all-hands-ai" in image:
        return V0
    return V1


def generation_of(settings: HostSettings) -> Generation:
    """The generation that a host runs: the declared one, or the image's."""
    if settings.openhands_flavor == "source":
        return SOURCE_V0 if settings.openhands_source.generation == "v0" else SOURCE
    if settings.openhands_flavor == "canvas":
        return CANVAS
    declared = settings.openhands_generation
    return GENERATIONS[declared] if declared else generation_of_image(settings.openhands_image)


def inner_ports(settings: HostSettings) -> tuple[int, ...]:
    """Ports of a host that OpenHands' parts listen on among themselves."""
    return INNER_PORTS if settings.openhands_flavor == "source" and generation_of(settings).inner else ()


def ports_inside(settings: HostSettings) -> tuple[int, ...]:
    """Ports that OpenHands listens on in its container; Canvas' parts listen there as they do on a host."""
    if not settings.container_image:
        return ()
    era = generation_of(settings)
    return tuple(sorted({era.inside, *(INNER_PORTS if era.api == "canvas" else ())}))


def rehearsal_ports(settings: HostSettings) -> tuple[int, ...]:
    """Ports of a host that a build listens on to every address while it is tried."""
    _, backend, *_ = REHEARSAL_PORTS
    return (*REHEARSAL_PORTS, backend + EDITOR) if inner_ports(settings) else ()


SANDBOX_IMAGES = {  # app_server/sandbox/sandbox_spec_service.py: the wheel of that release
    "1.11": "ghcr.io/openhands/agent-server:1.34.0-python",
    "1.11.0": "ghcr.io/openhands/agent-server:1.34.0-python",
}


def sandbox_image(settings: HostSettings) -> str | None:
    """The image of V1's sandboxes, as far as it is known without the app: declared, or of a release that was read."""
    if settings.openhands_flavor != "gui" or generation_of(settings) is not V1:
        return None
    names = ("AGENT_SERVER_IMAGE_REPOSITORY", "AGENT_SERVER_IMAGE_TAG")
    repository, tag = (settings.openhands_env.get(name) for name in names)
    if repository is None and tag is None:
        return SANDBOX_IMAGES.get(settings.openhands_image.partition("@")[0].rpartition(":")[2])
    declared = f"{repository}:{tag}"
    return declared if isinstance(repository, str) and isinstance(tag, str) and is_image(declared) else None


def base_url(settings: HostSettings) -> str:
    """Ollama, as OpenHands sees it: from its container, or on the host itself."""
    url = settings.ollama_client_url
    if settings.openhands_flavor == "source":
        return url
    if settings.manages_ollama:
        return f"http://{HOST_NAME}:{settings.ollama_host.port}"
    return from_container(url, HOST_NAME)


def model_string(settings: HostSettings) -> str:
    """`openai/NAME`: with `ollama/NAME` litellm sends no tools, and the agent degrades to a chatbot."""
    return f"openai/{settings.model}"
