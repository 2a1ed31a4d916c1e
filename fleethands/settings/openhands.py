"""The generations of OpenHands' web app: what each reads, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fleethands.settings.host import HostSettings

HOST_NAME = "host.docker.internal"
API_KEY = "ollama"  # Ollama checks none; OpenHands wants one


@dataclass(frozen=True)
class Generation:
    """Variables, addresses and settings of one generation of the web app, all read in or tried on that version."""

    name: str
    variables: dict[str, str]
    ready: str
    settings_api: str

    def settings_file(self, model: str, base_url: str) -> dict[str, Any]:
        """The part of settings.json that chooses the model."""
        if self.name == "v0":  # openhands/storage/data_models/settings.py, 0.62.0
            return {"llm_model": model, "llm_base_url": base_url, "llm_api_key": API_KEY}
        # openhands/app_server/settings/settings_models.py, 1.11.0
        return {"agent_settings": {"llm": {"model": model, "base_url": base_url, "api_key": API_KEY}}}

    def first_settings(self, model: str, base_url: str) -> dict[str, Any]:
        """A whole settings.json for a host that has none."""
        chosen = self.settings_file(model, base_url)
        if self.name == "v0":
            return {"language": "en", "agent": "CodeActAgent", **chosen, "user_consents_to_analytics": False}
        return chosen


V0 = Generation("v0", {"FILE_STORE": "local", "FILE_STORE_PATH": "/.openhands"}, "/health", "/api/settings")
V1 = Generation(
    "v1",
    {
        "OH_PERSISTENCE_DIR": "/.openhands",
        "FILE_STORE_PATH": "/.openhands",
        "SANDBOX_STARTUP_GRACE_SECONDS": "180",  # its own 15 s call a healthy sandbox broken on a slow host
    },
    "/ready",
    "/api/v1/settings",
)


def generation(image: str) -> Generation:
    """The generation of an image, by its name: 1.x tags are V1, the older names and 0.x tags are V0."""
    name, _, tag = image.partition("@")[0].rpartition(":")
    if re.match(r"v?1(\.|\Z)", tag):
        return V1
    if re.match(r"v?0\.", tag) or "all-hands-ai" in name:
        return V0
    return V1


def base_url(settings: HostSettings) -> str:
    """Ollama, as a container sees it."""
    return f"http://{HOST_NAME}:{settings.ollama_host.port}"


def model_string(settings: HostSettings) -> str:
    """`openai/NAME`: with `ollama/NAME` litellm sends no tools, and the agent degrades to a chatbot."""
    return f"openai/{settings.model}"
