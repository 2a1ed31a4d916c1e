"""What the hosts of an inventory need, before any registry is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fleethands.bundle.errors import BundleError
from fleethands.operations.ollama.release_archives import EXTRA_ARCHIVES, archive_names
from fleethands.settings import HostSettings
from fleethands.settings.openhands import has_unknown_sandboxes, sandbox_image
from fleethands.settings.packages import needed_packages
from fleethands.settings.schema.models import Model
from fleethands.settings.values import modelfile
from fleethands.settings.values.images import is_tagged


@dataclass(frozen=True)
class WantedArchive:
    """An archive of an Ollama release. `sha256` is None if neither the inventory nor the lockfile has it."""

    version: str
    arch: str
    name: str
    url: str
    sha256: str | None


@dataclass(frozen=True)
class WantedContents:
    """
    What a bundle has to have.

    + models: name → model, with its pinned digest
    + images: name, as declared → pinned digest; None without a pin
    + packages: names for apt
    + unpinned: names that no digest fixes
    + notes: what hosts need and a bundle cannot have, each with what to declare
    """

    archives: tuple[WantedArchive, ...] = ()
    models: Mapping[str, Model] = field(default_factory=dict)
    images: Mapping[str, str | None] = field(default_factory=dict)
    packages: frozenset[str] = frozenset()
    unpinned: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def find_contents(fleet: Mapping[str, HostSettings], archs: Iterable[str]) -> WantedContents:
    """
    What the hosts of a fleet need.

    + archs: amd64, arm64

    Raises BundleError for a host whose settings no bundle can serve.
    """
    archives: dict[WantedArchive, None] = {}
    models: dict[str, Model] = {}
    images: dict[str, str | None] = {}
    packages: set[str] = set()
    notes: list[str] = []
    for name, settings in fleet.items():
        _check_bundleable(name, settings)
        archives |= {each: None for arch in archs for each in _archives(settings, arch)}
        models |= _models(settings)
        images |= _images(settings)
        packages |= {each.partition("|")[0] for each in needed_packages(settings)}
        notes += _unknown_sandbox(name, settings)
        packages |= {"zstd"} if settings.ollama_runtime == "service" else set()  # a bundle's archives stay compressed
    unpinned = tuple(_unpinned(archives, models, images))
    return WantedContents(tuple(archives), models, images, frozenset(packages), unpinned, tuple(notes))


def _check_bundleable(name: str, settings: HostSettings) -> None:
    if settings.openhands_flavor == "source":
        hint = f'declare another `openhands_flavor` for {name}, such as "gui", or leave it out: --exclude {name}'
        raise BundleError(f"{name}: a bundle has no Python and npm packages for `openhands_flavor`: `source`", hint)


def _unknown_sandbox(name: str, settings: HostSettings) -> list[str]:
    if not has_unknown_sandboxes(settings):
        return []
    declare = "declare `AGENT_SERVER_IMAGE_REPOSITORY` and `AGENT_SERVER_IMAGE_TAG` in `openhands_env`"
    return [f"{name}: the image of the sandboxes of {settings.openhands_image} is unknown and not packed: {declare}"]


def _archives(settings: HostSettings, arch: str) -> list[WantedArchive]:
    """The archives of the declared variant. Without a declared variant, the plain archive has what most hosts need."""
    if settings.ollama_runtime != "service":
        return []
    variant = settings.ollama_variant or "whole"
    if EXTRA_ARCHIVES.get(variant, arch) != arch:
        return []
    declared = settings.ollama_sha256
    main = declared.get(arch) if isinstance(declared, dict) else declared
    names = archive_names(settings.ollama_version, arch, variant)
    url = f"{settings.ollama_url.rstrip('/')}/v{settings.ollama_version}"
    return [
        WantedArchive(
            settings.ollama_version, arch, name, url, settings.pins.archives.get(name) or (None if place else main)
        )
        for place, name in enumerate(names)
    ]


def _models(settings: HostSettings) -> dict[str, Model]:
    """Models of registries, and the base models of Modelfiles."""
    if not settings.manages_ollama:
        return {}
    listed = {str(model.name): model for model in settings.models if model.modelfile is None}
    declared = {str(model.name) for model in settings.models}
    bases = {str(file.base): file.base for file in modelfile.load_modelfiles(settings).values()}
    pins = settings.pins.models
    return listed | {
        name: Model(name=base, digest=pins.get(name)) for name, base in bases.items() if name not in declared
    }


def _images(settings: HostSettings) -> dict[str, str | None]:
    """The images of OpenHands, of its sandboxes and of Ollama."""
    named = (settings.declared_image, sandbox_image(settings), settings.ollama_declared_image)
    pins = settings.pins.images
    return {image: pins.get(image) if is_tagged(image) else image.partition("@")[2] for image in named if image}


def _unpinned(
    archives: Iterable[WantedArchive], models: Mapping[str, Model], images: Mapping[str, str | None]
) -> list[str]:
    names = [f"Ollama {each.version}" for each in archives if each.sha256 is None]
    names += [name for name, model in models.items() if model.digest is None]
    return sorted({*names, *(name for name, digest in images.items() if digest is None)})
