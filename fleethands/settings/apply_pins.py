"""Applies the pins of a lockfile to a host's settings."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings.host import HostSettings
from fleethands.settings.lockfile import LOCKFILE_NAME, Lockfile, LockfileContents
from fleethands.settings.openhands import sandbox_image
from fleethands.settings.pins import Pinnable, Pins
from fleethands.settings.schema.models import Model
from fleethands.settings.values import modelfile
from fleethands.settings.values.images import is_tagged
from fleethands.settings.values.ollama_release import ARCHS, archive_name


def find_pinnable(settings: HostSettings) -> Pinnable:
    """What `fleethands pin` can pin for a host. Settings that name a digest need no pin."""
    files = modelfile.load_modelfiles(settings)
    listed = [model for model in settings.models if model.modelfile is None and model.digest is None]
    known = {model.name for model in settings.models}
    bases = {file.base: Model(name=file.base) for file in files.values() if file.base not in known}
    named = (settings.declared_image, sandbox_image(settings), settings.ollama_declared_image)
    images = [image for image in named if image and is_tagged(image)]
    listed_release = (settings.ollama_version, settings.ollama_url.rstrip("/"))
    release = listed_release if settings.ollama_runtime == "service" and settings.ollama_sha256 is None else None
    return Pinnable(release, (*listed, *bases.values()), tuple(images))


def apply_pins(settings: HostSettings, lock: Lockfile) -> tuple[HostSettings, list[tuple[str, str]]]:
    """A host's settings with the pins of a lockfile, and (path, problem) of each setting that contradicts a pin."""
    if lock.path is None:
        return settings, []
    pinnable, document = find_pinnable(settings), lock.document
    names = [str(model.name) for model in pinnable.models]
    pins = Pins(
        archives=document.ollama.get(settings.ollama_version, {}) if pinnable.release else {},
        models={name: document.models[name].digest for name in names if name in document.models},
        images={image: document.images[image] for image in pinnable.images if image in document.images},
        missing=tuple(_missing(settings.ollama_version, pinnable, document)),
        bundles=lock.bundles,
    )
    return settings.with_pins(pins), list(_contradictions(settings, document))


def _missing(version: str, pinnable: Pinnable, document: LockfileContents) -> Iterator[str]:
    if pinnable.release and version not in document.ollama:
        yield f"Ollama {version}"
    yield from (str(model.name) for model in pinnable.models if str(model.name) not in document.models)
    yield from (image for image in pinnable.images if image not in document.images)


def _contradictions(settings: HostSettings, document: LockfileContents) -> Iterator[tuple[str, str]]:
    files = document.ollama.get(settings.ollama_version, {})
    locked = {arch: files.get(archive_name(settings.ollama_version, arch)) for arch in ARCHS.values()}
    declared = settings.ollama_sha256
    if isinstance(declared, dict):
        for arch, digest in declared.items():
            if locked.get(arch) not in (None, digest):
                yield f"ollama_sha256.{arch}", _describe_contradiction(str(locked[arch]), digest)
    elif declared is not None and files and declared not in locked.values():
        yield "ollama_sha256", _describe_contradiction(next(digest for digest in locked.values() if digest), declared)
    for index, model in enumerate(settings.models):
        pin = document.models.get(str(model.name))
        if pin is not None and model.digest not in (None, pin.digest):
            yield f"models.{index}.digest", _describe_contradiction(pin.digest, str(model.digest))


def _describe_contradiction(locked: str, declared: str) -> str:
    return f"expected `{locked}` from {LOCKFILE_NAME}, got `{declared}`: correct one of them, or remove one of them"
