"""The distribution packages that a host needs."""

from __future__ import annotations

from fleethands.settings.host import HostSettings

ENGINE = "docker.io|docker-ce|moby-engine"  # Debian's and Ubuntu's, Docker's own, Microsoft's

NGINX = "nginx|nginx-core|nginx-light|nginx-full|nginx-extras"  # Debian's, nginx.org's, and those of older Ubuntu


def needs_docker(settings: HostSettings) -> bool:
    """Whether OpenHands or Ollama runs in a container."""
    return bool(settings.container_image or settings.ollama_declared_image)


def needed_packages(settings: HostSettings) -> tuple[str, ...]:
    """Names of packages. Either of `a|b` is enough; `a` is installed if both are missing."""
    names = ["ca-certificates", "curl"]
    if settings.listens:
        names.append("nftables")
    if needs_docker(settings):
        names.append(ENGINE)
    if settings.gateway is not None:
        names.append(NGINX)
    if settings.gateway is not None and settings.gateway_acme is not None:
        names.append("certbot")
    if settings.openhands_flavor == "source":
        names += ["git", "python3-venv", "tmux"]
        names += ["make"] if settings.openhands_source.generation == "v0" else []
    is_unpacked = settings.ollama_transfer == "controller" and not settings.pins.bundles  # an upload needs no zstd
    if settings.ollama_runtime == "service" and not is_unpacked:
        names.append("zstd")
    return tuple(names)
