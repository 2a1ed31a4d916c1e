"""Which packages of the distribution a host needs, by its settings."""

from __future__ import annotations

from fleethands.settings.host import HostSettings

ENGINE = "docker.io|docker-ce|moby-engine"  # Debian's and Ubuntu's, Docker's own, Microsoft's


def needs_docker(settings: HostSettings) -> bool:
    """Whether a container is declared: OpenHands', or Ollama's."""
    return bool(settings.container_image or settings.ollama_declared_image)


def needed_packages(settings: HostSettings) -> tuple[str, ...]:
    """Names of packages; `a|b` is met by either, and the first is installed where neither is there."""
    names = ["ca-certificates", "curl"]
    if settings.listens:
        names.append("nftables")
    if needs_docker(settings):
        names.append(ENGINE)
    if settings.openhands_flavor == "source":
        names += ["git", "python3-venv", "tmux"]
        names += ["make"] if settings.openhands_source.generation == "v0" else []
    if settings.ollama_runtime == "service" and settings.ollama_transfer != "controller":  # what is sent needs no zstd
        names.append("zstd")
    return tuple(names)
