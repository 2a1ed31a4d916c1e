"""What the contract names and this version does not do yet: refused, never silently ignored."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings import modelfile
from fleethands.settings.host import HostSettings

OWN_BYTES = [0, 19, 0]  # the first release that keeps a registry's manifest as it came (ollama commit 3824e380a)


def unsupported(settings: HostSettings) -> Iterator[tuple[str, str]]:
    """(key, problem) for each declared thing that would have no effect."""
    if settings.openhands_flavor == "source":
        yield "openhands_flavor", "`source` is not supported by this version, `gui`, `canvas` and `off` are"
    yield from modelfile.mistakes(settings)
    if [int(part) for part in settings.ollama_version.partition("-")[0].split(".")] < OWN_BYTES:
        for index, model in enumerate(settings.models):
            if model.digest is not None:
                yield f"models.{index}.digest", "Ollama before 0.19.0 rewrites manifests, so digests cannot be compared"
