"""The memory that Ollama has for models on a host: of the GPUs that it uses, and main memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleethands.facts import Probe
from fleethands.facts.gpu import Device, Gpu
from fleethands.fit.errors import NotCovered
from fleethands.fit.judge import Room
from fleethands.operations.ollama.gpus import is_dedicated
from fleethands.settings import HostSettings

MIB, KIB = 1 << 20, 1 << 10
# these choose GPUs by numbers of another list than nvidia-smi's
OTHER_LISTS = ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL")


@dataclass(frozen=True)
class GpuMemory:
    """
    Memory of the GPUs, in bytes.

    + free: without the models that Ollama itself has loaded, because it unloads them for another
    """

    names: tuple[str, ...]
    total: tuple[int, ...]
    free: tuple[int, ...]


def read_room(settings: HostSettings, probe: Probe) -> tuple[Room, GpuMemory]:
    """The memory that a model may get. Raises NotCovered if the host does not report it."""
    found = read_gpus(settings, probe)
    kib = probe.system.memory_kib if probe.knows("system") else None
    return Room(found.free, None if kib is None else kib * KIB), found


def read_gpus(settings: HostSettings, probe: Probe) -> GpuMemory:
    """The GPUs that Ollama uses, none if it works on the CPU. Raises NotCovered if their memory is unknown."""
    environment = settings.ollama_environment
    if settings.gpu is False or environment.get("OLLAMA_LLM_LIBRARY", "").startswith("cpu"):
        return GpuMemory((), (), ())
    if not probe.knows("gpu"):
        raise NotCovered("the host's GPUs could not be read")
    if any(name in environment for name in OTHER_LISTS):
        raise NotCovered("`ollama_env` chooses among the GPUs")
    rows = _nvidia(probe.gpu, environment) if probe.gpu.devices else _amd(probe.gpu)
    if any(None in row for row in rows):
        raise NotCovered("the GPU's driver does not report its memory")
    total = tuple((row[1] or 0) * MIB for row in rows)
    used = _without_own([(row[2] or 0) * MIB for row in rows], _own_models(probe))
    free = tuple(max(0, whole - taken) for whole, taken in zip(total, used, strict=True))
    return GpuMemory(tuple(row[0] for row in rows), total, free)


Row = tuple[str, int | None, int | None]  # name, MiB of memory, MiB that are used


def _nvidia(found: Gpu, environment: Mapping[str, str]) -> list[Row]:
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    devices = found.devices if chosen is None else _visible(found.devices, chosen)
    return [(each.name, each.memory, each.used) for each in devices]


def _visible(devices: tuple[Device, ...], chosen: str) -> tuple[Device, ...]:
    """The GPUs of CUDA_VISIBLE_DEVICES. Numbers are in CUDA's order, which nvidia-smi does not show."""
    words = [word.strip() for word in chosen.split(",") if word.strip()]
    if not words or words[0] == "-1":
        return ()
    if all(word.isascii() and word.isdigit() for word in words) and len({each.memory for each in devices}) == 1:
        return devices[: len(words)]
    known = [each for each in devices if any(each.uuid.startswith(word) for word in words)]
    if len(known) != len(words):
        raise NotCovered("`CUDA_VISIBLE_DEVICES` chooses GPUs that nvidia-smi shows in another order")
    return tuple(known)


def _amd(found: Gpu) -> list[Row]:
    if "/dev/kfd" not in found.nodes:
        return []
    return [("AMD GPU", each.memory, each.used) for each in found.pci if each.vendor == "amd" and is_dedicated(each)]


def _own_models(probe: Probe) -> int:
    return sum(probe.ollama.in_vram) if probe.knows("ollama") else 0


def _without_own(used: list[int], own: int) -> list[int]:
    """What other programs use: `own` bytes less, from the first GPUs on."""
    found = []
    for each in used:
        part = min(each, own)
        own -= part
        found.append(each - part)
    return found
