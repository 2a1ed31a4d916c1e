"""Whether Ollama's container gets the GPU of its host."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.operations.core.decision import Refused
from fleethands.operations.ollama.gpus import describe_gpu, has_gpu, nvidia_fails, nvidia_works
from fleethands.settings import HostSettings
from fleethands.settings.host import OLLAMA_IMAGE
from fleethands.settings.values.images import is_tagged

TOOLKIT = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html"
USE_CPU = "declare `gpu`: False for answers from the CPU"


def check_container_gpus(settings: HostSettings, probe: Probe) -> Refused | None:
    """Why Ollama's container would not get the GPU of its host; None where it is to have none."""
    image = settings.ollama_declared_image
    if not image or settings.gpu is False or not probe.knows("gpu") or not probe.knows("docker"):
        return None
    if nvidia_fails(probe.gpu):  # one run would pass the GPU to the container, and the next run would not
        return Refused(
            f"the host has {describe_gpu(probe.gpu)}, and nvidia-smi does not answer for it: {probe.gpu.failure}",
            ("on the host: nvidia-smi", USE_CPU),
        )
    stopped = probe.docker.installed and probe.docker.version is None  # a stopped Docker does not show its toolkit
    if nvidia_works(probe.gpu) and not probe.docker.engine.gpus and not stopped:
        return _no_toolkit(probe)
    if settings.gpu and _lacks_rocm(settings, probe):
        return Refused(f"{image} has no ROCm, and the host has an AMD GPU", (_rocm_hint(settings),))
    return None


def notes(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """Where `gpu` is not declared: that a container's image cannot use the GPU of the host."""
    if not settings.ollama_declared_image or settings.gpu is not None or not has_gpu(probe):
        return ()
    if not _lacks_rocm(settings, probe):
        return ()
    return (f"{settings.ollama_declared_image} has no ROCm, and the host has an AMD GPU; {_rocm_hint(settings)}",)


def _no_toolkit(probe: Probe) -> Refused:
    return Refused(
        f"the host has {describe_gpu(probe.gpu)}, and no container gets it: NVIDIA's container toolkit is missing",
        (
            f"on the host, from NVIDIA's repository ({TOOLKIT}): "
            "apt-get install nvidia-container-toolkit && systemctl restart docker",
            'Ollama without Docker: declare `"ollama_runtime": "service"`',
            USE_CPU,
        ),
    )


def _lacks_rocm(settings: HostSettings, probe: Probe) -> bool:
    """By its name: upstream's image for AMD is the one whose tag ends in `-rocm` (ollama docs/docker.mdx, v0.32.15)."""
    image = settings.ollama_declared_image
    amd = any(each.vendor == "amd" for each in probe.gpu.pci)
    return amd and not nvidia_works(probe.gpu) and is_tagged(image) and "rocm" not in image


def _rocm_hint(settings: HostSettings) -> str:
    return f'declare `"ollama_image": "{OLLAMA_IMAGE}:{settings.ollama_version}-rocm"`'
