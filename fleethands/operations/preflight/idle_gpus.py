"""A note for a GPU that carries no model, if `gpu` is not declared."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.operations.core.proof_record import read_links
from fleethands.operations.ollama.gpus import describe_gpu, has_gpu
from fleethands.settings import HostSettings

MEMORY = "gpu-memory"  # the link of a proof that says where a model is loaded (proof/3-ollama.sh)
ASIDE = "main memory"


def notes(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """A note that a model is in main memory although the host has a GPU."""
    if settings.gpu is not None or not has_gpu(probe):
        return ()
    proven = next((link for link in read_links(probe) if link.name == MEMORY), None)
    if probe.knows("ollama") and probe.ollama.in_vram:
        aside = 0 in probe.ollama.in_vram
    else:
        aside = proven is not None and proven.detail.startswith(ASIDE)
    if not aside:
        return ()
    gpu = describe_gpu(probe.gpu)
    why = f"the host has {gpu}, but a model is in main memory: answers come from the CPU"
    return (f"{why}; declare `gpu`: True to refuse that, or False to accept it",)
