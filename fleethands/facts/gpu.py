"""GPUs, as the PCI bus and their drivers show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleethands.facts.framing import decode_base64

VENDORS = {"0x10de": "nvidia", "0x1002": "amd"}
MIB = 1 << 20
SMI_SECONDS = 20  # facts/gpu.sh
REMARKS = 8  # lines beside nvidia-smi's list that are kept
_MIB = re.compile(r"\d{1,12}\Z")  # else `[N/A]`, `[Not Supported]`, `[Insufficient Permissions]`: there is no figure
_ROW = re.compile(r"\d{1,4}, (?:.*, ){4}")  # of the list; one of a GPU that does not answer has words in its cells


@dataclass(frozen=True)
class PciGpu:
    """A display controller on the bus; driver empty: none holds it; memory in MiB where the driver tells (amdgpu)."""

    address: str
    vendor: str
    product: str
    driver: str
    memory: int | None = None
    used: int | None = None


@dataclass(frozen=True)
class Device:
    """One GPU as nvidia-smi lists it; memory in MiB, None where it has no figure (unified memory)."""

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
    What a host has of GPUs.

    + nvidia: version of the NVIDIA kernel module, None when it is not loaded
    + amdgpu: whether AMD's is loaded
    + devices: as nvidia-smi lists them; empty when it failed
    + failure: why nvidia-smi gave no list, its own words; empty when it did, None when it is not installed
    + remarks: what it said beside its list: a warning, a GPU that does not answer
    + libcuda: whether the linker finds libcuda.so.1, None where there is nothing of NVIDIA's
    + nodes: device file → who may use it
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
    """The section `gpu`. Raises ValueError for a line that it does not know."""
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
    """Devices, failure and remarks. It lists GPUs and ends with a status other than 0 when one of them is unwell."""
    status, _, word = text.partition(" ")
    said = decode_base64("gpu", word).decode(errors="replace").strip()
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    devices = {line: device for line in lines if (device := _device(line))}
    if devices:
        return tuple(devices.values()), "", tuple(line for line in lines if line not in devices)[:REMARKS]
    if status == "124":
        return (), f"no answer within {SMI_SECONDS} s", ()
    if status == "0" and said != "No devices were found" and not all(map(_ROW.match, lines)):
        raise ValueError(said)
    return (), " ".join(said.split()) or f"it ended with status {int(status)}", ()


def _device(line: str) -> Device | None:
    """The GPU of a row; None where it is no row, or of a GPU that does not answer."""
    if not _ROW.match(line):
        return None
    index, *name, uuid, driver, memory, used = line.split(", ")
    return (
        Device(int(index), ", ".join(name), uuid, driver, _mib(memory), _mib(used)) if name and "GPU-" in uuid else None
    )


def _mib(cell: str) -> int | None:
    return int(cell) if _MIB.match(cell) else None
