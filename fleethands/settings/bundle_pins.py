"""What a bundle has is pinned for its run, as far as the lockfile does not pin it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fleethands.bundle.bundle_set import BundleSet, open_bundles
from fleethands.settings.lockfile import Lockfile, LockfileContents, ModelPin
from fleethands.settings.values.images import is_tagged

KEY = "fleethands_bundle"


def bundle_paths(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The bundles that host data names: one path, or several."""
    given = data.get(KEY) or ()
    return (given,) if isinstance(given, str) else tuple(str(each) for each in given)


def add_bundle(lock: Lockfile, data: Mapping[str, Any]) -> Lockfile:
    """The lockfile with what the bundles of a host have. Its own pins take precedence. Raises BundleError."""
    paths = bundle_paths(data)
    bundles = open_bundles(paths)
    if bundles is None:
        return lock
    found, own = _contents(bundles), lock.document
    document = LockfileContents(
        ollama={**found.ollama, **own.ollama},
        models={**found.models, **own.models},
        images={**found.images, **own.images},
    )
    return replace(lock, document=document, path=lock.path or Path(paths[0]), bundles=paths)


def _contents(bundles: BundleSet) -> LockfileContents:
    ollama: dict[str, dict[str, str]] = {}
    models: dict[str, ModelPin] = {}
    images: dict[str, str] = {}
    for bundle in bundles.bundles:
        for each in bundle.index.artifacts:
            if each.kind == "release":
                ollama.setdefault(each.version, {})[each.name] = each.digest.removeprefix("sha256:")
            elif each.kind == "model":
                size = bundle.index.size([each])
                models[each.name] = ModelPin(digest=each.digest.removeprefix("sha256:"), size=size)
            elif each.kind == "image" and is_tagged(each.name):
                images[each.name] = each.digest
    return LockfileContents(ollama=ollama, models=models, images=images)
