"""What the contract names and this version does not do yet: refused, never silently ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fleethands.settings import modelfile
from fleethands.settings.host import HostSettings

OWN_BYTES = [0, 19, 0]  # the first release that keeps a registry's manifest as it came (ollama commit 3824e380a)


RELEASE = re.compile(r"[1-9][0-9]*\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?\Z")


def _source(settings: HostSettings) -> Iterator[tuple[str, str]]:
    if settings.openhands_repo is not None:
        yield "openhands_repo", "this version builds upstream's releases of Agent Canvas only, from npm"
    if not RELEASE.match(settings.openhands_release):
        problem = "expected a release of @openhands/agent-canvas, as `1.16.0` (for generation V0 its image runs)"
        yield "openhands_ref", f"{problem}, got `{settings.openhands_release}`"


def unsupported(settings: HostSettings) -> Iterator[tuple[str, str]]:
    """(key, problem) for each declared thing that would have no effect."""
    if settings.openhands_flavor == "source":
        yield from _source(settings)
    yield from modelfile.mistakes(settings)
    if [int(part) for part in settings.ollama_version.partition("-")[0].split(".")] < OWN_BYTES:
        for index, model in enumerate(settings.models):
            if model.digest is not None:
                yield f"models.{index}.digest", "Ollama before 0.19.0 rewrites manifests, so digests cannot be compared"
