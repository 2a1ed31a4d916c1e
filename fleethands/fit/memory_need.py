"""What a loaded model needs, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class MemoryNeed:
    """
    Bytes that a loaded model needs.

    + layers: weights and cache of each layer; output: of the layer behind them, with everything that follows it
    + inputs: weights that stay in main memory
    + cpu_graph: what computing needs without a GPU; gpu_graph: on each GPU that is used
    + reserve: what stays free on each GPU; spare: further bytes of each GPU that Ollama keeps in reserve
    + cache: type of the cache that the layers have, which may be another one than was asked for
    + error: by how much the figure may be wrong: 0.05 is 5 %
    """

    layers: tuple[int, ...]
    output: int
    inputs: int
    cpu_graph: int
    gpu_graph: int
    reserve: int
    spare: int = 0
    cache: str = "f16"
    error: float = 0.05

    @property
    def on_cpu(self) -> int:
        """All of it, without a GPU: as /api/ps shows `size`."""
        return sum(self.layers) + self.output + self.inputs + self.cpu_graph

    @property
    def on_gpu(self) -> int:
        """What one GPU has to take for the whole model."""
        return sum(self.layers) + self.output + self.gpu_graph

    def plus(self, size: int) -> MemoryNeed:
        """The same with more bytes next to the output: a projector, an adapter."""
        return MemoryNeed(**{**self.__dict__, "output": self.output + size})

    def scaled(self, factor: float) -> MemoryNeed:
        """The same, with all sizes of the model larger or smaller."""
        sizes = {name: int(getattr(self, name) * factor) for name in ("output", "inputs", "cpu_graph", "gpu_graph")}
        return MemoryNeed(**{**self.__dict__, **sizes, "layers": tuple(int(each * factor) for each in self.layers)})
