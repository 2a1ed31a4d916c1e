"""Rejects combinations of settings that are valid by themselves but have no effect together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fleethands.settings.host import HostSettings
from fleethands.settings.values import modelfile

KEEPS_MANIFESTS = [0, 19, 0]  # the first release that stores a registry's manifest unchanged (ollama commit 3824e380a)


RELEASE = re.compile(r"[1-9][0-9]*\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?\Z")


def _source(settings: HostSettings) -> Iterator[tuple[str, str]]:
    wanted = settings.openhands_source
    if wanted.generation == "v1":
        yield "openhands_generation", "expected `v0` or `canvas`: V1's web app is not published as something to build"
    elif wanted.repo is None and wanted.generation == "v0":
        yield (
            "openhands_repo",
            "expected the repository of OpenHands V0, such as `https://github.com/All-Hands-AI/OpenHands`: "
            "npm has no package of it",
        )
    elif wanted.repo is None and not RELEASE.match(wanted.ref):
        problem = "expected a release of @openhands/agent-canvas, such as `1.16.0`, or an `openhands_repo` that has it"
        yield "openhands_ref", f"{problem}, got `{wanted.ref}`"


def find_unsupported(settings: HostSettings) -> Iterator[tuple[str, str]]:
    """(key, problem) of each setting that would have no effect."""
    if settings.openhands_flavor == "source":
        yield from _source(settings)
    elif settings.openhands_generation == "canvas":
        yield "openhands_generation", "expected `v0` or `v1`, or `openhands_flavor`: `canvas`, got `canvas`"
    yield from modelfile.find_mistakes(settings)
    if [int(part) for part in settings.ollama_version.partition("-")[0].split(".")] < KEEPS_MANIFESTS:
        for index, model in enumerate(settings.models):
            if model.digest is not None:
                yield f"models.{index}.digest", "Ollama before 0.19.0 rewrites manifests, so digests cannot be compared"
