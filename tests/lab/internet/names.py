"""Every host name the lab answers for; each host of the lab finds them at the bridge's address."""

from __future__ import annotations

GITHUB = "github.com"
ASSETS = "release-assets.githubusercontent.com"
OLLAMA = "ollama.com"
MODELS = "registry.ollama.ai"
REGISTRIES = (
    MODELS,
    "ghcr.io",
    "docker.openhands.dev",
    "docker.all-hands.dev",
    "registry-1.docker.io",
    "index.docker.io",
    "auth.docker.io",
    "docker.io",
)
NAMES: tuple[str, ...] = (*REGISTRIES, OLLAMA, GITHUB, ASSETS)
