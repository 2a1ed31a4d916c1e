"""GPUs, as the PCI bus and their drivers show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleethands.facts.protocol import decode

VENDORS = {"0x10de": "nvidia", "0x1002": "amd"}
MIB = 1 << 20
_CELL = re.compile(r"\[.*\]\Z")  # `[N/A]`, `[Not Supported]`: nvidia-smi has no figure


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
    + libcuda: whether the linker finds libcuda.so.1, None where there is nothing of NVIDIA's
    + nodes: device file → who may use it
    + tegra: first line of /etc/nv_tegra_release on a Jetson
    """

    pci: tuple[PciGpu, ...] = ()
    nvidia: str | None = None
    amdgpu: bool = False
    devices: tuple[Device, ...] = ()
    failure: str | None = None
    libcuda: bool | None = None
    nodes: Mapping[str, Node] = field(default_factory=dict)
    tegra: str = ""


def read(lines: list[str]) -> Gpu:
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
    devices, failure = _smi(single["smi"]) if "smi" in single else ((), None)
    return Gpu(
        pci=tuple(pci),
        nvidia=single.get("nvidia"),
        amdgpu="amdgpu" in single,
        devices=devices,
        failure=failure,
        libcuda={"yes": True, "no": False}[single["libcuda"]] if "libcuda" in single else None,
        nodes=nodes,
        tegra=single.get("tegra", ""),
    )


def _pci(address: str, vendor: str, product: str, driver: str, total: str, used: str) -> PciGpu:
    memory = (None, None) if total == "-" else (int(total) // MIB, int(used) // MIB)
    return PciGpu(address, VENDORS[vendor], product, "" if driver == "-" else driver, *memory)


def _smi(text: str) -> tuple[tuple[Device, ...], str]:
    status, _, word = text.partition(" ")
    said = decode("gpu", word).decode(errors="replace").strip()
    if status == "124":
        return (), "no answer within 5 s"
    if status != "0":
        return (), " ".join(said.split()) or f"it ended with status {int(status)}"
    if said == "No devices were found":
        return (), said
    return tuple(_device(line) for line in said.splitlines()), ""


def _device(line: str) -> Device:
    index, *name, uuid, driver, memory, used = line.split(", ")
    if not name or not uuid.startswith("GPU-"):
        raise ValueError(line)
    return Device(int(index), ", ".join(name), uuid, driver, _mib(memory), _mib(used))


def _mib(cell: str) -> int | None:
    return None if _CELL.match(cell) else int(cell)
