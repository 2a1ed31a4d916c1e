"""Whether a host has the room for what it lacks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from fleethands.facts import Probe
from fleethands.facts.system import Space
from fleethands.operations.core.decision import Refused
from fleethands.operations.core.format_size import format_size
from fleethands.operations.models import model_store
from fleethands.operations.ollama.release_archives import CPU, choose_variant
from fleethands.settings import HostSettings
from fleethands.settings.packages import needs_docker
from fleethands.settings.values.ollama_release import ARCHS

MIB = 1 << 20
# a release's archive and its tree lie side by side, 2.5 bytes of tree for each of the archive (release.sh)
ARCHIVE_FACTOR = 3.5
CPU_TREE = 256 * MIB  # what is unpacked at the most without GPU libraries
IMAGE_FACTOR = 3  # bytes in Docker's store for each byte of compressed layers
# where upstream did not tell
ARCHIVE_ROOM = 2048 * MIB
IMAGE_ROOM = 4096 * MIB


@dataclass(frozen=True)
class Need:
    """Bytes that something takes at a place."""

    place: str
    what: str
    size: int


def needs(settings: HostSettings, probe: Probe) -> Iterator[Need]:
    """What the host lacks and where it will lie; a model whose size is not known counts for nothing."""
    version = settings.ollama_version
    if settings.ollama_runtime == "service" and version not in probe.releases:
        size = probe.upstream.size("archive", version)
        room = int(size * ARCHIVE_FACTOR) if size else ARCHIVE_ROOM
        if size and choose_variant(settings, probe, ARCHS[probe.system.arch]) == CPU:
            room = min(room, size + CPU_TREE)
        yield Need("/opt", f"Ollama {version}", room)
    for offer in probe.upstream.offers:
        if offer.kind == "model" and offer.size and not (probe.knows("models") and _is_there(offer.name, probe)):
            yield Need(model_store.models_directory(settings, probe), offer.name, offer.size)
    if images := _images(settings, probe):
        missing = {settings.openhands_image: settings.container_image} if probe.docker.image is None else {}
        if probe.docker.ollama_image is None:
            missing[settings.ollama_declared_image] = settings.ollama_container_image
        for name, image in missing.items():
            size = probe.upstream.size("image", image)
            if image:
                yield Need(images[0], name, size * IMAGE_FACTOR if size else IMAGE_ROOM)


def _images(settings: HostSettings, probe: Probe) -> tuple[str, Space] | None:
    """Where Docker keeps its images, as it says itself; None where it is to keep none, or its room is not known."""
    if not needs_docker(settings) or not probe.knows("docker"):
        return None
    engine = probe.docker.engine
    return (engine.images, engine.room) if engine.room else None


def _is_there(name: str, probe: Probe) -> bool:
    """To Ollama the case of a model's name does not count."""
    return name.lower() in map(str.lower, probe.models)


def check_disk_space(settings: HostSettings, probe: Probe) -> Refused | None:
    """A place that can't be written, or run from, or a file system that is too small for all that will lie on it."""
    images = _images(settings, probe)
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
