"""The generations of OpenHands as data: paths, ports, variables and APIs of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleethands import paths

HOST_NAME = "host.docker.internal"
API_KEY = "ollama"  # OpenHands requires a key, Ollama checks none


@dataclass(frozen=True)
class Sandboxes:
    """
    Ports that the web app's sandboxes publish on every address of a host.

    + inside: ports in their containers
    + published: the range of ports on the host
    """

    inside: tuple[int, ...]
    published: str

    @property
    def first(self) -> int:
        """The lowest published port."""
        return int(self.published.partition("-")[0])

    @property
    def sysctl(self) -> str:
        """The kernel setting of the app's container that limits its free ports to the published range."""
        return f"net.ipv4.ip_local_port_range={self.published.replace('-', ' ')}"


# app_server/sandbox/docker_sandbox_service.py, 1.11.0: V1 asks for free ports in its own container, so the host's range
# does not apply
SANDBOXES = Sandboxes((8000, 8001, 8011, 8012), "32768-60999")


@dataclass(frozen=True)
class Generation:
    """
    One generation of OpenHands.

    + inside: the port in its container
    + state, workspace: these directories in its container
    + ready: path of the page that answers when OpenHands is ready; settings_api: path that shows the selected model
    + tools: it sends tools to every model; V0 describes them in text to models without tool support
    + socket: it starts containers through Docker's socket
    + api: the generation whose API it has; Canvas' API requires a key and stores settings encrypted
    + versions: first number of its releases
    + nested: path of its state in its home directory
    + suffix: end of the names of its directory and of our record, because no two generations read the same files
    + inner: variable → port between its parts, if it runs without a container
    + sandboxes: ports of the containers that it starts
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
        """Whether its API requires a key."""
        return self.api == "canvas"

    @property
    def active_path(self) -> str:
        """The file on a host that names the active profile."""
        return f"{self.directory}/settings.json"

    @property
    def directory(self) -> str:
        """The directory of its state on a host."""
        return self.home + self.nested

    @property
    def home(self) -> str:
        """The directory that fleethands creates for it; it contains the state."""
        return paths.OPENHANDS_STATE + self.suffix

    @property
    def settings_path(self) -> str:
        """The file on a host that has the selected model."""
        return f"{self.directory}/{self.settings_name}"

    @property
    def seed_path(self) -> str:
        """The file on a host that records the model that fleethands selected."""
        return f"{paths.OPENHANDS_SEED}{self.suffix}.json"

    @property
    def places(self) -> tuple[str, ...]:
        """Its directories and files on a host, without duplicates."""
        found = (self.home, self.directory, self.settings_path, self.seed_path, self.active_path)
        return tuple(dict.fromkeys(found))

    def settings_file(self, model: str, base_url: str) -> dict[str, Any]:
        """The part of its settings that selects the model."""
        if self.api == "v0":  # openhands/storage/data_models/settings.py, 0.62.0
            return {"llm_model": model, "llm_base_url": base_url, "llm_api_key": API_KEY}
        if self.needs_key:  # the API key is written encrypted (agent-server 1.44, llm profiles)
            return {"model": model, "base_url": base_url}
        # openhands/app_server/settings/settings_models.py, 1.11.0
        return {"agent_settings": {"llm": {"model": model, "base_url": base_url, "api_key": API_KEY}}}

    def first_settings(self, model: str, base_url: str) -> dict[str, Any]:
        """The complete settings for a host without any."""
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
# the page's own server listens on every address and forwards to all other parts, like the entrance
# (scripts/dev-with-automation.mjs, static-server.mjs, ingress.mjs, 1.16.0)
INNER = {
    "OH_CANVAS_SAFE_VITE_PORT": 3001,
    "OH_CANVAS_SAFE_BACKEND_PORT": 18000,
    "OH_CANVAS_SAFE_AUTOMATION_PORT": 18001,
}
EDITOR = 1000  # the editor's port minus the backend's
INNER_PORTS = (*INNER.values(), INNER["OH_CANVAS_SAFE_BACKEND_PORT"] + EDITOR)
REHEARSAL_PORTS = (18910, 18911, 18912, 18913)  # entrance, backend, automation, page of a build under test
SOURCE = replace(CANVAS, name="source", suffix="-source", nested="/.openhands", inner=INNER)
SOURCE_V0 = replace(V0, name="source-v0", suffix="-source-v0", nested="/.openhands", socket=False)
GENERATIONS = {each.name: each for each in (V0, V1, CANVAS, SOURCE, SOURCE_V0)}


def generation_of_image(image: str) -> Generation:
    """The generation of a web app's image: V1 for tags 1.x, V0 for tags 0.x and older names."""
    tag = image.partition("@")[0].rpartition(":")[2]
    if re.match(r"v?1(\.|\Z)", tag):
        return V1
    if re.match(r"v?0\.", tag) or "all-hands-ai" in image:
        return V0
    return V1
