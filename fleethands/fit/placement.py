"""Where the layers of a model go: on which GPUs, and how many stay in main memory (ollama llm/server.go, v0.24.0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleethands.fit.load_options import LoadOptions
from fleethands.fit.memory_need import MemoryNeed


@dataclass(frozen=True)
class Placement:
    """
    Layers of a model, and where they are computed.

    + on_gpus: how many of `layers` are on GPUs, the output counts as one; gpus: how many GPUs they are on
    + ram: bytes of main memory that the rest needs
    """

    layers: int
    on_gpus: int
    gpus: int
    ram: int

    @property
    def is_whole(self) -> bool:
        """Whether GPUs have all of it."""
        return self.on_gpus == self.layers


def place(need: MemoryNeed, options: LoadOptions, free: Sequence[int]) -> Placement:
    """
    Put as many layers as possible on as few GPUs as possible.

    + free: bytes of each GPU
    """
    taken = need.reserve + options.overhead + need.gpu_graph + need.spare
    rooms = sorted((max(0, each - taken) for each in free), reverse=True)
    layers = [*need.layers, need.output]
    if options.gpu_layers >= 0:
        layers = layers[max(0, len(layers) - options.gpu_layers) :]
    count, gpus = _assign(layers, rooms, spread=options.spread)
    if count < len(need.layers) + 1 and count < len(layers):
        inner, fewer = _assign(layers[:-1], rooms, spread=options.spread)  # without the output, more layers may fit
        return _placement(need, inner, fewer, has_output=False)
    return _placement(need, count, gpus, has_output=True)


def _placement(need: MemoryNeed, count: int, gpus: int, *, has_output: bool) -> Placement:
    inner = count - 1 if has_output and count else count
    stay = sum(need.layers[: len(need.layers) - inner]) + (0 if has_output and count else need.output)
    graph = need.cpu_graph if not count else 0
    return Placement(len(need.layers) + 1, count, gpus if count else 0, stay + need.inputs + graph)


def _assign(layers: Sequence[int], rooms: Sequence[int], *, spread: bool) -> tuple[int, int]:
    """How many layers fit, and how many GPUs they take: the fewest that hold all, unless they are spread."""
    count, used = 0, 0
    for used in [len(rooms)] if spread else range(1, len(rooms) + 1):
        count = _fill(layers, rooms[:used])
        if count == len(layers):
            break
    return count, used


def _fill(layers: Sequence[int], rooms: Sequence[int]) -> int:
    """How many layers fit, from the last one on, if each GPU is filled before the next (greedyFit)."""
    left = list(rooms)
    for number, size in enumerate(reversed(layers)):
        while left and size > left[-1]:
            left.pop()
        if not left:
            return number
        left[-1] -= size
    return len(layers)
