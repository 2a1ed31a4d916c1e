"""What the collector of a host compares the host with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from fleethands import __version__, paths
from fleethands.facts import Probe
from fleethands.settings import HostSettings
from fleethands.settings.values.names import ListenAddress

# Files of fleethands that every account may read, and that only an apply changes. Those of the firewall are left out: a
# service restores its table, and the end of a run narrows its rules.
WATCHED = (
    paths.OLLAMA_UNIT, paths.OLLAMA_OVERRIDE, paths.PRELOAD_UNIT, paths.OPENHANDS_UNIT, paths.OPENHANDS_CONFIG,
    paths.GATEWAY_CONFIG, paths.GATEWAY_UNIT,
)  # fmt: skip


def declared_text(settings: HostSettings, probe: Probe) -> str:
    """The file that the collector reads: lines `KEY VALUE`."""
    return "".join(f"{key} {value}\n" for key, value in _rows(settings, probe))


def _rows(settings: HostSettings, probe: Probe) -> Iterator[tuple[str, object]]:
    yield "fleethands", __version__
    yield "proof", paths.PROOF
    yield "sums", paths.METRICS_SUMS
    yield "ollama_url", settings.ollama_client_url
    if settings.manages_ollama:
        yield "ollama_version", settings.ollama_version
        yield "ollama_port", settings.ollama_host.port
        yield "models_dir", settings.models_dir(probe.home)
    for model in settings.models:
        yield "model", f"{model.name} {model.digest or ''}".rstrip()
    if settings.gpu:
        yield "gpu", "yes"
    if settings.gateway is not None:
        yield "gateway_port", settings.gateway.port
        yield "gateway_address", ListenAddress(settings.gateway.local_ip, settings.gateway.port)


def watched_sums(probe: Probe) -> str:
    """The digests of the watched files, as sha256sum prints them on the host."""
    found = ((path, probe.files[path]) for path in WATCHED)
    return "".join(
        f"{hashlib.sha256(file.content).hexdigest()}  {path}\n"
        for path, file in found
        if file.kind == "file" and file.content is not None and file.is_public
    )
