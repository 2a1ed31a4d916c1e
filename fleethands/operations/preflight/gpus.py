"""Whether a host that is declared to have a GPU has one that Ollama can use."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.facts.gpu import Gpu, PciGpu
from fleethands.operations.core.operation import Refused
from fleethands.settings import HostSettings
from fleethands.settings.host import OLLAMA_IMAGE
from fleethands.settings.values.images import is_tagged

DEDICATED = 2048  # MiB
TOOLKIT = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html"
DRIVERS = {"nvidia": "nvidia", "amd": "amdgpu"}
NO_GPU = "declare `gpu: None` or `gpu: False` for a host that works on its CPU"
INSTALL = {
    "nvidia": "on the host: ubuntu-drivers install (Ubuntu), apt-get install nvidia-driver (Debian, non-free); reboot",
    "amd": "on the host: modprobe amdgpu; its cause: dmesg | grep amdgpu",
}


def refused(settings: HostSettings, probe: Probe) -> Refused | None:
    """Where `gpu: True` is declared: no GPU that has its driver and answers. One such GPU is enough."""
    if not settings.gpu or not settings.manages_ollama:
        return None
    found = probe.gpu
    if not found.pci and not found.devices and not found.tegra:
        return _absent(found)
    against = [_against(device, found) for device in _carriers(found)]
    if not found.pci:
        against = [_nvidia(found)] if found.devices else []
    return next(filter(None, against), None) if all(against) else None


def notes(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """What nvidia-smi said beside its list of GPUs, and what a container's image can't use."""
    if settings.gpu is False or not settings.manages_ollama or not probe.knows("gpu"):
        return ()
    return (*(f"nvidia-smi says: {remark}" for remark in probe.gpu.remarks), *_of_image(settings, probe))


def passed(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """Arguments of `docker run` by which Ollama's container gets the host's GPUs."""
    if settings.gpu is False:
        return ("--env", "NVIDIA_VISIBLE_DEVICES=void")  # where NVIDIA's runtime is Docker's default
    if _nvidia_works(probe.gpu):
        return ("--device", "nvidia.com/gpu=all") if probe.docker.engine.gpus == "cdi" else ("--gpus", "all")
    render = any(path.startswith("/dev/dri/") for path in probe.gpu.nodes)
    if "/dev/kfd" in probe.gpu.nodes:
        return ("--device", "/dev/kfd", *(("--device", "/dev/dri") if render else ()))
    return ()


def _has_driver(found: Gpu) -> bool:
    """Whether NVIDIA's own driver has a GPU."""
    return any(each.vendor == "nvidia" and each.driver == "nvidia" for each in found.pci)


def _unwell(found: Gpu) -> bool:
    """Whether NVIDIA's driver has a GPU, and its tool fails."""
    return _has_driver(found) and not found.devices and bool(found.failure)


def _nvidia_works(found: Gpu) -> bool:
    """Whether there is a GPU of NVIDIA's that its driver knows; with another one a container would not start."""
    return bool(found.devices) or (_has_driver(found) and not found.failure)


def barred(settings: HostSettings, probe: Probe) -> Refused | None:
    """Why Ollama's container would not get the GPU of its host; None where it is to have none."""
    image = settings.ollama_declared_image
    if not image or settings.gpu is False or not probe.knows("gpu") or not probe.knows("docker"):
        return None
    if _unwell(probe.gpu):  # one run would pass it to the container, and the next one would not
        return Refused(
            f"the host has {named(probe.gpu)}, and nvidia-smi does not answer for it: {probe.gpu.failure}",
            ("on the host: nvidia-smi", "declare `gpu`: False for answers from the CPU"),
        )
    stopped = probe.docker.installed and probe.docker.version is None  # what it gives to containers is not known then
    if _nvidia_works(probe.gpu) and not probe.docker.engine.gpus and not stopped:
        return Refused(
            f"the host has {named(probe.gpu)}, and no container gets it: NVIDIA's container toolkit is missing",
            (
                f"on the host, from NVIDIA's repository ({TOOLKIT}): "
                "apt-get install nvidia-container-toolkit && systemctl restart docker",
                'Ollama without Docker: declare `"ollama_run": "service"`',
                "declare `gpu`: False for answers from the CPU",
            ),
        )
    if settings.gpu and _lacks_rocm(settings, probe):
        return Refused(f"{image} has no ROCm, and the host has an AMD GPU", (_rocm(settings),))
    return None


def _of_image(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """Where nothing is declared: that a container's image can't use the GPU that is there."""
    if not settings.ollama_declared_image or settings.gpu is not None or not is_seen(probe):
        return ()
    if not _lacks_rocm(settings, probe):
        return ()
    return (f"{settings.ollama_declared_image} has no ROCm, and the host has an AMD GPU; {_rocm(settings)}",)


def _lacks_rocm(settings: HostSettings, probe: Probe) -> bool:
    """By its name: upstream's image for AMD is the one whose tag ends in `-rocm` (ollama docs/docker.mdx, v0.32.15)."""
    image = settings.ollama_declared_image
    amd = any(each.vendor == "amd" for each in probe.gpu.pci)
    return amd and not _nvidia_works(probe.gpu) and is_tagged(image) and "rocm" not in image


def _rocm(settings: HostSettings) -> str:
    return f'declare `"ollama_image": "{OLLAMA_IMAGE}:{settings.ollama_version}-rocm"`'


def is_seen(probe: Probe) -> bool:
    """Whether there is a GPU that would carry a model; AMD's that are part of a processor are none."""
    if not probe.knows("gpu"):
        return False
    found = probe.gpu
    return bool(found.devices or any(map(_is_dedicated, found.pci)))


def named(found: Gpu) -> str:
    """The first GPU of a host, in words."""
    if found.devices:
        return found.devices[0].name
    return "an NVIDIA GPU" if any(each.vendor == "nvidia" for each in found.pci) else "an AMD GPU"


def _is_dedicated(device: PciGpu) -> bool:
    return device.vendor == "nvidia" or (device.memory or 0) >= DEDICATED


def _carriers(found: Gpu) -> list[PciGpu]:
    """The GPUs that a model is meant for: those with memory of their own, where there are any."""
    return [each for each in found.pci if _is_dedicated(each)] or list(found.pci)


def _against(device: PciGpu, found: Gpu) -> Refused | None:
    return _driver(device, found) or (_nvidia(found) if device.vendor == "nvidia" else _amd(found))


def _absent(found: Gpu) -> Refused:
    hints = ("look for it on the host: lspci -d ::0300; lspci -d ::0302", NO_GPU)
    if found.nvidia is not None or found.amdgpu:
        driver = f"NVIDIA's driver {found.nvidia}" if found.nvidia is not None else "AMD's driver"
        return Refused(f"{driver} is loaded, but there is no GPU on the PCI bus", hints)
    if found.failure:  # as in WSL, which shows no PCI bus
        return _unanswered(found.failure)
    return Refused("there is no NVIDIA or AMD GPU on the PCI bus", hints)


def _driver(device: PciGpu, found: Gpu) -> Refused | None:
    wanted = DRIVERS[device.vendor]
    if device.driver == wanted or found.devices:
        return None
    vendor = "NVIDIA" if device.vendor == "nvidia" else "AMD"
    state = f"has the driver `{device.driver}`, which can't compute" if device.driver else "has no driver"
    return Refused(f"the {vendor} GPU at {device.address} {state}", (INSTALL[device.vendor],))


def _nvidia(found: Gpu) -> Refused | None:
    if found.failure is None:
        return Refused("nvidia-smi is missing, so the GPU's driver can't be asked", (INSTALL["nvidia"],))
    if found.failure:
        return _unanswered(found.failure)
    if found.libcuda is False:
        hint = "on the host: apt-get install libcuda1 (Debian) or libnvidia-compute-VERSION (Ubuntu); ldconfig"
        return Refused("libcuda.so.1 is missing, so Ollama would fall back to the CPU", (hint,))
    return None


def _unanswered(failure: str) -> Refused:
    hints = {
        "version mismatch": ("the driver was updated under a running one; on the host: systemctl reboot",),
        "no answer": (
            "if it only takes that long, keep the driver loaded, on the host: nvidia-smi -pm 1",
            "if it hangs, on the host: dmesg | grep -i nvrm; systemctl reboot",
        ),
    }
    found = next((each for mark, each in hints.items() if mark in failure), None)
    return Refused(f"nvidia-smi: {failure}", found or ("on the host: dmesg | grep -i nvrm; nvidia-smi",))


def _amd(found: Gpu) -> Refused | None:
    if "/dev/kfd" in found.nodes:
        return None
    return Refused("/dev/kfd is missing, so Ollama would fall back to the CPU", (INSTALL["amd"],))
