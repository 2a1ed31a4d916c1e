"""Which of a host's GPUs Ollama can use, and how its container gets them."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.facts.gpu import Gpu, PciGpu
from fleethands.settings import HostSettings

DEDICATED = 2048  # MiB


def container_arguments(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """Arguments of `docker run` that give Ollama's container the host's GPUs."""
    if settings.gpu is False:
        return ("--env", "NVIDIA_VISIBLE_DEVICES=void")  # where NVIDIA's runtime is Docker's default
    if nvidia_works(probe.gpu):
        return ("--device", "nvidia.com/gpu=all") if probe.docker.engine.gpus == "cdi" else ("--gpus", "all")
    render = any(path.startswith("/dev/dri/") for path in probe.gpu.nodes)
    if "/dev/kfd" in probe.gpu.nodes:
        return ("--device", "/dev/kfd", *(("--device", "/dev/dri") if render else ()))
    return ()


def nvidia_works(found: Gpu) -> bool:
    """Whether NVIDIA's driver knows a GPU of the host. Without one, a container that asks for a GPU does not start."""
    return bool(found.devices) or (_has_nvidia_driver(found) and not found.failure)


def nvidia_fails(found: Gpu) -> bool:
    """Whether NVIDIA's driver has a GPU, and nvidia-smi fails."""
    return _has_nvidia_driver(found) and not found.devices and bool(found.failure)


def _has_nvidia_driver(found: Gpu) -> bool:
    return any(each.vendor == "nvidia" and each.driver == "nvidia" for each in found.pci)


def has_gpu(probe: Probe) -> bool:
    """Whether the host has a GPU for models. AMD's that are part of a processor do not count."""
    if not probe.knows("gpu"):
        return False
    found = probe.gpu
    return bool(found.devices or any(map(is_dedicated, found.pci)))


def is_dedicated(device: PciGpu) -> bool:
    """Whether a GPU has memory of its own."""
    return device.vendor == "nvidia" or (device.memory or 0) >= DEDICATED


def describe_gpu(found: Gpu) -> str:
    """The first GPU of a host, for a message."""
    if found.devices:
        return found.devices[0].name
    return "an NVIDIA GPU" if any(each.vendor == "nvidia" for each in found.pci) else "an AMD GPU"
