"""Checks that Ollama can use a GPU, if `gpu: True` is declared."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.facts.gpu import Gpu, PciGpu
from fleethands.operations.core.decision import Refused
from fleethands.operations.ollama.gpus import is_dedicated
from fleethands.operations.preflight import container_gpus
from fleethands.settings import HostSettings

DRIVERS = {"nvidia": "nvidia", "amd": "amdgpu"}
NO_GPU = "declare `gpu: None` or `gpu: False` for a host that works on its CPU"
INSTALL = {
    "nvidia": "on the host: ubuntu-drivers install (Ubuntu), apt-get install nvidia-driver (Debian, non-free); reboot",
    "amd": "on the host: modprobe amdgpu; its cause: dmesg | grep amdgpu",
}


def check_gpus(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse if no GPU has its driver and answers. One such GPU is enough."""
    if not settings.gpu or not settings.manages_ollama:
        return None
    found = probe.gpu
    if not found.pci and not found.devices and not found.tegra:
        return _refuse_absent(found)
    problems = [_check_device(device, found) for device in _carriers(found)]
    if not found.pci:
        problems = [_check_nvidia(found)] if found.devices else []
    return next(filter(None, problems), None) if all(problems) else None


def notes(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """The warnings of nvidia-smi, and a GPU that a container's image cannot use."""
    if settings.gpu is False or not settings.manages_ollama or not probe.knows("gpu"):
        return ()
    return (*(f"nvidia-smi says: {remark}" for remark in probe.gpu.remarks), *container_gpus.notes(settings, probe))


def _carriers(found: Gpu) -> list[PciGpu]:
    """The GPUs that models use: those with memory of their own, otherwise all."""
    return [each for each in found.pci if is_dedicated(each)] or list(found.pci)


def _check_device(device: PciGpu, found: Gpu) -> Refused | None:
    return _check_driver(device, found) or (_check_nvidia(found) if device.vendor == "nvidia" else _check_amd(found))


def _refuse_absent(found: Gpu) -> Refused:
    hints = ("look for it on the host: lspci -d ::0300; lspci -d ::0302", NO_GPU)
    if found.nvidia is not None or found.amdgpu:
        driver = f"NVIDIA's driver {found.nvidia}" if found.nvidia is not None else "AMD's driver"
        return Refused(f"{driver} is loaded, but there is no GPU on the PCI bus", hints)
    if found.failure:  # as in WSL, which shows no PCI bus
        return _refuse_nvidia_smi(found.failure)
    return Refused("there is no NVIDIA or AMD GPU on the PCI bus", hints)


def _check_driver(device: PciGpu, found: Gpu) -> Refused | None:
    wanted = DRIVERS[device.vendor]
    if device.driver == wanted or found.devices:
        return None
    vendor = "NVIDIA" if device.vendor == "nvidia" else "AMD"
    state = f"has the driver `{device.driver}`, which can't compute" if device.driver else "has no driver"
    return Refused(f"the {vendor} GPU at {device.address} {state}", (INSTALL[device.vendor],))


def _check_nvidia(found: Gpu) -> Refused | None:
    if found.failure is None:
        return Refused("nvidia-smi is missing, so the GPU's driver can't be asked", (INSTALL["nvidia"],))
    if found.failure:
        return _refuse_nvidia_smi(found.failure)
    if found.libcuda is False:
        hint = "on the host: apt-get install libcuda1 (Debian) or libnvidia-compute-VERSION (Ubuntu); ldconfig"
        return Refused("libcuda.so.1 is missing, so Ollama would fall back to the CPU", (hint,))
    return None


def _refuse_nvidia_smi(failure: str) -> Refused:
    hints = {
        "version mismatch": ("the driver was updated under a running one; on the host: systemctl reboot",),
        "no answer": (
            "if it only takes that long, keep the driver loaded, on the host: nvidia-smi -pm 1",
            "if it hangs, on the host: dmesg | grep -i nvrm; systemctl reboot",
        ),
    }
    found = next((each for mark, each in hints.items() if mark in failure), None)
    return Refused(f"nvidia-smi: {failure}", found or ("on the host: dmesg | grep -i nvrm; nvidia-smi",))


def _check_amd(found: Gpu) -> Refused | None:
    if "/dev/kfd" in found.nodes:
        return None
    return Refused("/dev/kfd is missing, so Ollama would fall back to the CPU", (INSTALL["amd"],))
