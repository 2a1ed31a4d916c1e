"""GPUs, as the PCI bus and their drivers report them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleethands.facts.framing import decode_base64

VENDORS = {"0x10de": "nvidia", "0x1002": "amd"}
MIB = 1 << 20
SMI_SECONDS = 20  # facts/gpu.sh
REMARKS = 8  # lines of nvidia-smi to keep in addition to its list
_MIB = re.compile(r"\d{1,12}\Z")  # otherwise `[N/A]`, `[Not Supported]` or `[Insufficient Permissions]`
_ROW = re.compile(r"\d{1,4}, (?:.*, ){4}")  # cells of a GPU that does not answer have other text


@dataclass(frozen=True)
class PciGpu:
    """A display controller on the PCI bus. The driver may be empty; memory in MiB, only from amdgpu."""

    address: str
    vendor: str
    product: str
    driver: str
    memory: int | None = None
    used: int | None = None


@dataclass(frozen=True)
class Device:
    """One GPU of nvidia-smi's list. Memory in MiB, None for unified memory."""

    index: int
    name: str
    uuid: str
    driver: str
    memory: int | None
    used: int | None


@dataclass(frozen=True)
class Node:
    """Access to a device file: octal mode and group."""

    mode: str
    group: str


@dataclass(frozen=True)
class Gpu:
    """
    The GPUs of a host.

    + nvidia: version of the NVIDIA kernel module, None if it is not loaded
    + amdgpu: whether AMD's kernel module is loaded
    + devices: nvidia-smi's list, empty if it failed
    + failure: nvidia-smi's message if it failed; empty if it succeeded, None if it is not installed
    + remarks: other lines of nvidia-smi: a warning, a GPU that does not answer
    + libcuda: whether the linker finds libcuda.so.1; None without NVIDIA hardware or driver
    + nodes: device file → mode and group
    + tegra: first line of /etc/nv_tegra_release on a Jetson
    """

    pci: tuple[PciGpu, ...] = ()
    nvidia: str | None = None
    amdgpu: bool = False
    devices: tuple[Device, ...] = ()
    failure: str | None = None
    remarks: tuple[str, ...] = ()
    libcuda: bool | None = None
    nodes: Mapping[str, Node] = field(default_factory=dict)
    tegra: str = ""


def parse_gpu(lines: list[str]) -> Gpu:
    """Parse the section `gpu`. Raises ValueError for an unknown line."""
    pci, nodes, single = [], {}, {}
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "pci":
            pci.append(_pci(*rest.split(" ")))
        elif kind == "node":
            path, mode, group = rest.split(" ", 2)
            nodes[path] = Node(mode.zfill(4), group)
        elif kind in single or kind not in {"nvidia", "amdgpu", "smi", "libcuda", "tegra"}:
            raise ValueError(kind)
        else:
            single[kind] = rest
    devices, failure, remarks = _smi(single["smi"]) if "smi" in single else ((), None, ())
    return Gpu(
        pci=tuple(pci),
        nvidia=single.get("nvidia"),
        amdgpu="amdgpu" in single,
        devices=devices,
        failure=failure,
        remarks=remarks,
        libcuda={"yes": True, "no": False}[single["libcuda"]] if "libcuda" in single else None,
        nodes=nodes,
        tegra=single.get("tegra", ""),
    )


def _pci(address: str, vendor: str, product: str, driver: str, total: str, used: str) -> PciGpu:
    memory = (None, None) if total == "-" else (int(total) // MIB, int(used) // MIB)
    return PciGpu(address, VENDORS[vendor], product, "" if driver == "-" else driver, *memory)


def _smi(text: str) -> tuple[tuple[Device, ...], str, tuple[str, ...]]:
    """Devices, failure and remarks. With a broken GPU, nvidia-smi prints a list and still fails."""
    status, _, word = text.partition(" ")
    output = decode_base64("gpu", word).decode(errors="replace").strip()
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    devices = {line: device for line in lines if (device := _device(line))}
    if devices:
        return tuple(devices.values()), "", tuple(line for line in lines if line not in devices)[:REMARKS]
    if status == "124":
        return (), f"no answer within {SMI_SECONDS} s", ()
    if status == "0" and output != "No devices were found" and not all(map(_ROW.match, lines)):
        raise ValueError(output)
    return (), " ".join(output.split()) or f"it failed with status {int(status)}", ()


def _device(line: str) -> Device | None:
    """The GPU of a row; None for another line, and for a GPU that does not answer."""
    if not _ROW.match(line):
        return None
    index, *name, uuid, driver, memory, used = line.split(", ")
    return (
        Device(int(index), ", ".join(name), uuid, driver, _mib(memory), _mib(used)) if name and "GPU-" in uuid else None
    )


def _mib(cell: str) -> int | None:
    return int(cell) if _MIB.match(cell) else None
