"""Checks that a host has the disk space for what it lacks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from fleethands.bundle.bundle_set import open_bundles
from fleethands.facts import Probe
from fleethands.facts.system import Space
from fleethands.operations.core.decision import Refused
from fleethands.operations.models import model_store
from fleethands.operations.models.models import lacking_models
from fleethands.operations.ollama.release import lacking_archives
from fleethands.operations.ollama.release_archives import CPU, choose_variant
from fleethands.settings import HostSettings
from fleethands.settings.packages import needs_docker
from fleethands.settings.values.modelfile import load_modelfiles
from fleethands.settings.values.ollama_release import ARCHS
from fleethands.text.format import format_size

MIB = 1 << 20
# release.sh keeps the archive until its tree is complete; a byte of the archive becomes 2.5 bytes of the tree
ARCHIVE_FACTOR = 3.5
CPU_TREE = 256 * MIB  # the largest unpacked tree without GPU libraries
IMAGE_FACTOR = 3  # bytes in Docker's store for each byte of compressed layers
# where upstream did not tell the size
DEFAULT_ARCHIVE_SIZE = 2048 * MIB
DEFAULT_IMAGE_SIZE = 4096 * MIB
PARTS = "/var/lib"  # whose file system has the directory of parts


@dataclass(frozen=True)
class Need:
    """Bytes that a download needs at a path."""

    place: str
    what: str
    size: int


def needs(settings: HostSettings, probe: Probe) -> Iterator[Need]:
    """What the host lacks, and where it will be stored. A model of unknown size counts as 0."""
    version = settings.ollama_version
    if settings.ollama_runtime == "service" and version not in probe.releases:
        size = _archive_size(settings, probe)
        room = int(size * ARCHIVE_FACTOR) if size else DEFAULT_ARCHIVE_SIZE
        if size and choose_variant(settings, probe, ARCHS[probe.system.arch]) == CPU:
            room = min(room, size + CPU_TREE)
        yield Need("/opt", f"Ollama {version}", room)
        if settings.ollama_transfer == "host":
            yield from _parts(settings, probe, "/opt", f"Ollama {version}", size or DEFAULT_ARCHIVE_SIZE)
    for name, size in _model_sizes(settings, probe):
        place = model_store.models_directory(settings, probe)
        yield Need(place, name, size)
        yield from _parts(settings, probe, place, name, size)
    yield from _image_needs(settings, probe)


def _archive_size(settings: HostSettings, probe: Probe) -> int | None:
    """Bytes of the archives of the release, if a bundle or the download server says it."""
    version = settings.ollama_version
    if (bundles := open_bundles(settings.pins.bundles)) is None:
        return probe.upstream.size("archive", version)
    arch = ARCHS[probe.system.arch]
    return sum(bundles.size("release", name, version, arch) or 0 for name in lacking_archives(settings, probe))


def _model_sizes(settings: HostSettings, probe: Probe) -> Iterator[tuple[str, int]]:
    """Models that the host lacks, and their bytes, as far as a bundle or the registry says it."""
    if (bundles := open_bundles(settings.pins.bundles)) is None:
        for offer in probe.upstream.offers:
            if offer.kind == "model" and offer.size and not (probe.knows("models") and _has_model(offer.name, probe)):
                yield offer.name, offer.size
    elif settings.manages_ollama and probe.knows("models"):
        for model in lacking_models(settings, probe, load_modelfiles(settings)):
            yield str(model.name), bundles.size("model", str(model.name)) or 0


def _image_needs(settings: HostSettings, probe: Probe) -> Iterator[Need]:
    if not (images := _image_space(settings, probe)):
        return
    missing = {settings.openhands_image: settings.container_image} if probe.docker.image is None else {}
    if probe.docker.ollama_image is None:
        missing[settings.ollama_declared_image] = settings.ollama_container_image
    for name, image in missing.items():
        bundles = open_bundles(settings.pins.bundles)
        arch = ARCHS[probe.system.arch]
        size = bundles.size("image", name, arch=arch) if bundles else probe.upstream.size("image", image)
        if image:
            yield Need(images[0], name, size * IMAGE_FACTOR if size else DEFAULT_IMAGE_SIZE)
            yield from _parts(settings, probe, "", name, size or DEFAULT_IMAGE_SIZE)


def _parts(settings: HostSettings, probe: Probe, place: str, what: str, size: int) -> Iterator[Need]:
    """
    The parts of a download, on a host that fetches them.

    + place: where they are moved to, which needs no more space on the same file system; empty if they are copied
    """
    disk = probe.disk
    same = place in disk and disk[place].device == disk[PARTS].device
    if settings.fetches_parts and not same:
        yield Need(PARTS, f"the parts of {what}", size)


def _image_space(settings: HostSettings, probe: Probe) -> tuple[str, Space] | None:
    """Docker's own directory of images; None if no container is declared, or its space is unknown."""
    if not needs_docker(settings) or not probe.knows("docker"):
        return None
    engine = probe.docker.engine
    return (engine.images, engine.room) if engine.room else None


def _has_model(name: str, probe: Probe) -> bool:
    """Whether the host has a model. Ollama ignores the case of its name."""
    return name.lower() in map(str.lower, probe.models)


def check_disk_space(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse a path that is not writable or executable, or a file system that is too small."""
    images = _image_space(settings, probe)
    disk = {**probe.disk, **({images[0]: images[1]} if images else {})}
    for place, space in disk.items():
        if not space.writable:
            mount = f'mount -o remount,rw "$(findmnt -fno TARGET -T {shlex.quote(place)})"'
            return Refused(f"{place} is not writable", (f"on the host: {mount}", "its cause: dmesg | tail"))
    if settings.ollama_runtime == "service" and not probe.disk["/opt"].runs:
        return Refused(
            "/opt is mounted noexec, so Ollama can't be started from there",
            (
                'on the host: mount -o remount,exec "$(findmnt -fno TARGET -T /opt)"',
                "and take noexec out of /etc/fstab",
            ),
        )
    shared: dict[str, list[Need]] = {}
    for need in needs(settings, probe):
        shared.setdefault(disk[need.place].device or need.place, []).append(need)
    for together in shared.values():
        place, size = together[0].place, sum(need.size for need in together)
        free = min(disk[need.place].free_kib for need in together) * 1024
        if free < size:
            parts = ", ".join(f"{need.what} {format_size(need.size)}" for need in together)
            return Refused(
                f"{place} has {free // MIB} MiB free, {size // MIB} MiB are needed",
                (f"that is for {parts}", f"on the host: df -h {shlex.quote(place)}"),
            )
    return None
