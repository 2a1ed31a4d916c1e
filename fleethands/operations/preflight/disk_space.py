"""Whether a host has the room for what it lacks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from fleethands.facts import Probe
from fleethands.facts.system import Space
from fleethands.operations.core.operation import Refused
from fleethands.operations.models import model_store
from fleethands.operations.ollama.release import CPU, variant
from fleethands.settings import HostSettings
from fleethands.settings.packages import needs_docker
from fleethands.settings.values.ollama_release import ARCHS
from fleethands.text.format import format_size

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


def needs(settings: HostSettings, seen: Probe) -> Iterator[Need]:
    """What the host lacks and where it will lie; a model whose size is not known counts for nothing."""
    version = settings.ollama_version
    if settings.ollama_run == "service" and version not in seen.releases:
        size = seen.upstream.size("archive", version)
        room = int(size * ARCHIVE_FACTOR) if size else ARCHIVE_ROOM
        if size and variant(settings, seen, ARCHS[seen.system.arch]) == CPU:
            room = min(room, size + CPU_TREE)
        yield Need("/opt", f"Ollama {version}", room)
    for offer in seen.upstream.offers:
        if offer.kind == "model" and offer.size and not (seen.knows("models") and _is_there(offer.name, seen)):
            yield Need(model_store.directory(settings, seen), offer.name, offer.size)
    if images := _images(settings, seen):
        missing = {settings.openhands_image: settings.container_image} if seen.docker.image is None else {}
        if seen.docker.ollama_image is None:
            missing[settings.ollama_declared_image] = settings.ollama_container_image
        for name, image in missing.items():
            size = seen.upstream.size("image", image)
            if image:
                yield Need(images[0], name, size * IMAGE_FACTOR if size else IMAGE_ROOM)


def _images(settings: HostSettings, seen: Probe) -> tuple[str, Space] | None:
    """Where Docker keeps its images, as it says itself; None where it is to keep none, or its room is not known."""
    if not needs_docker(settings) or not seen.knows("docker"):
        return None
    engine = seen.docker.engine
    return (engine.images, engine.room) if engine.room else None


def _is_there(name: str, seen: Probe) -> bool:
    """To Ollama the case of a model's name does not count."""
    return name.lower() in map(str.lower, seen.models)


def refused(settings: HostSettings, seen: Probe) -> Refused | None:
    """A place that can't be written, or run from, or a file system that is too small for all that will lie on it."""
    images = _images(settings, seen)
    disk = {**seen.disk, **({images[0]: images[1]} if images else {})}
    for place, space in disk.items():
        if not space.writable:
            mount = f'mount -o remount,rw "$(findmnt -fno TARGET -T {shlex.quote(place)})"'
            return Refused(f"{place} is not writable", (f"on the host: {mount}", "its cause: dmesg | tail"))
    if settings.ollama_run == "service" and not seen.disk["/opt"].runs:
        return Refused(
            "/opt is mounted noexec, so Ollama can't be started from there",
            (
                'on the host: mount -o remount,exec "$(findmnt -fno TARGET -T /opt)"',
                "and take noexec out of /etc/fstab",
            ),
        )
    shared: dict[str, list[Need]] = {}
    for need in needs(settings, seen):
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
