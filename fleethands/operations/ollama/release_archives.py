"""Which archives a release of Ollama is made of on this host, and their checksums."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.facts.gpu import Gpu
from fleethands.facts.ollama import WHOLE
from fleethands.settings import HostSettings
from fleethands.settings.values.ollama_release import archive_name

CPU = "cpu"
JETPACKS = {"R35": "jetpack5", "R36": "jetpack6"}  # by the release of Linux for Tegra
EXTRA_ARCHIVES = {"rocm": "amd64", "jetpack5": "arm64", "jetpack6": "arm64"}  # variants with a second archive → arch


def choose_variant(settings: HostSettings, probe: Probe, arch: str) -> str:
    """
    The variant to unpack: the declared one, or the one that the host's GPUs need (scripts/install.sh, v0.32.15).

    `whole` is the plain archive with everything in it, which CUDA needs. It is also the choice if the GPUs are unknown.
    """
    declared = settings.ollama_variant
    if declared is not None:
        return WHOLE if declared == "cuda" else declared
    if settings.gpu is False:
        return CPU
    return _variant_for_gpus(probe.gpu, arch) if probe.knows("gpu") else WHOLE


def _variant_for_gpus(gpu: Gpu, arch: str) -> str:
    if gpu.tegra:
        return next((name for mark, name in JETPACKS.items() if mark in gpu.tegra), WHOLE)
    vendors = {device.vendor for device in gpu.pci}
    if gpu.devices or gpu.nvidia is not None or "nvidia" in vendors:
        return WHOLE
    if "amd" in vendors:
        return "rocm" if EXTRA_ARCHIVES["rocm"] == arch else WHOLE
    return CPU


def archive_names(version: str, arch: str, variant: str) -> tuple[str, ...]:
    """
    Names of a release's files, the main one first (tar.zst since 0.14.0: ollama commit 34d0c55ea; the further ones:
    scripts/install.sh, v0.32.15).

    + arch: amd64 or arm64
    + variant: whole, cpu, rocm, jetpack5 or jetpack6
    """
    further = [f"{arch}-{variant}"] if EXTRA_ARCHIVES.get(variant) == arch else []
    return tuple(archive_name(version, each) for each in (arch, *further))


def pinned_checksums(settings: HostSettings, arch: str) -> dict[str, str]:
    """Archive → sha256, as far as the settings or the lockfile have them."""
    declared = settings.ollama_sha256
    main = declared.get(arch) if isinstance(declared, dict) else declared
    return {**settings.pins.archives, **({archive_name(settings.ollama_version, arch): main} if main else {})}
