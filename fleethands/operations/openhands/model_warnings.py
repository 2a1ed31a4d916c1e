"""Whether OpenHands works well with the model."""

from __future__ import annotations

from fleethands.facts import Probe
from fleethands.facts.ollama import Ollama
from fleethands.settings import HostSettings
from fleethands.settings.openhands import generation_of
from fleethands.settings.schema.ollama import SHORTEST_CONTEXT


def model_warnings(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """What does not work well, according to the settings and to Ollama's description of the model."""
    needs = f"OpenHands' own prompt needs {SHORTEST_CONTEXT} at the least"
    model = probe.ollama if probe.knows("ollama") else Ollama()
    notes = []
    if (context := settings.context_length) is not None and context < SHORTEST_CONTEXT:
        notes.append(f"`ollama_context_length` is {context}; {needs}")
    if model.context is not None and model.context < SHORTEST_CONTEXT:
        notes.append(f"{settings.model} has a context of {model.context} tokens; {needs}")
    if model.tools is False:
        needed = generation_of(settings).tools
        effect = "Ollama refuses each of its conversations" if needed else "OpenHands describes them in its prompts"
        notes.append(f"{settings.model} takes no tools: {effect}")
    return tuple(notes)
