"""What the contract names and this version does not do yet: refused, never silently ignored."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings import modelfile
from fleethands.settings.host import HostSettings
from fleethands.settings.openhands import V1, generation

OWN_BYTES = [0, 19, 0]  # the first release that keeps a registry's manifest as it came (ollama commit 3824e380a)


def unsupported(settings: HostSettings) -> Iterator[tuple[str, str]]:
    """(key, problem) for each declared thing that would have no effect."""
    if settings.openhands_flavor in {"canvas", "source"}:
        yield "openhands_flavor", f"`{settings.openhands_flavor}` is not supported by this version, `gui` and `off` are"
    elif settings.openhands_flavor == "gui" and generation(settings.openhands_image) is V1:
        yield "openhands_image", "V1 images are not supported by this version, as `:0.62` and older ones are"
    yield from modelfile.mistakes(settings)
    if [int(part) for part in settings.ollama_version.partition("-")[0].split(".")] < OWN_BYTES:
        for index, model in enumerate(settings.models):
            if model.digest is not None:
                yield f"models.{index}.digest", "Ollama before 0.19.0 rewrites manifests, so digests cannot be compared"
