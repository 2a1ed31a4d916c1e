"""What OpenHands' container is created from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from fleethands.settings import HostSettings
from fleethands.settings.generations import API_KEY, SANDBOXES, V0, V1, Generation
from fleethands.settings.openhands import base_url, generation_of, model_string

USERS_LABEL = "fleethands.users"


@dataclass(frozen=True)
class ContainerSpec:
    """Everything that a container is created from. Equal specifications have equal digests."""

    image: str
    arguments: tuple[str, ...]
    variables: dict[str, str]

    @property
    def digest(self) -> str:
        text = json.dumps([self.image, self.arguments, self.variables], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def container_spec(settings: HostSettings, uid: int) -> ContainerSpec:
    """
    The container as upstream documents it, but without a terminal and published to the host alone.

    + uid: of the user that owns the workspace
    """
    generation = generation_of(settings)
    arguments = [
        "--restart", "unless-stopped",
        "--add-host", "host.docker.internal:host-gateway",
        "--publish", f"{settings.openhands_address}:{generation.inside}",
        "--volume", f"{settings.openhands_workspace}:{generation.workspace}",
        "--volume", f"{generation.directory}:{generation.state}",
        *(["--volume", "/var/run/docker.sock:/var/run/docker.sock"] if generation.socket else []),
        *(["--sysctl", SANDBOXES.sysctl] if generation is V1 else []),
    ]  # fmt: skip
    variables = {**_variables(settings, generation, uid), **generation.variables, **settings.openhands_variables}
    return ContainerSpec(settings.openhands_image, tuple(arguments), variables)


def _variables(settings: HostSettings, generation: Generation, uid: int) -> dict[str, str]:
    workspace, url = str(settings.openhands_workspace), base_url(settings)
    if generation is V0:
        return {
            "SANDBOX_USER_ID": str(uid),
            "WORKSPACE_MOUNT_PATH": workspace,
            "LLM_MODEL": model_string(settings),
            "LLM_BASE_URL": url + "/v1",
            "LLM_OLLAMA_BASE_URL": url,
            "LLM_API_KEY": API_KEY,
        }
    if generation is V1:  # openhands/app_server/config.py, 1.11.0: where sandboxes call back, and what they mount
        return {
            "SANDBOX_USER_ID": str(uid),
            "SANDBOX_VOLUMES": f"{workspace}:{generation.workspace}:rw",
            "SANDBOX_HOST_PORT": str(settings.openhands_port),
            "OLLAMA_BASE_URL": url,
        }
    return {}
