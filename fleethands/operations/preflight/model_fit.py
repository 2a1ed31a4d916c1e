"""Says before a download whether a model fits on a host, and refuses the host with `gpu: True` if it can't."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands.facts import Probe
from fleethands.facts.model_file import ModelFile
from fleethands.fit.errors import NotCovered
from fleethands.fit.judge import Judgment, Room, Verdict, judge
from fleethands.operations.core.decision import Refused
from fleethands.operations.preflight.gpu_memory import GpuMemory, read_room
from fleethands.operations.preflight.load_options import load_options
from fleethands.settings import HostSettings
from fleethands.settings.schema.ollama import SHORTEST_CONTEXT
from fleethands.text.format import format_size

GIB = 1 << 30
EXACT = 0.05  # errors up to this need no word in the plan


@dataclass(frozen=True)
class _Case:
    """One model on one host."""

    name: str
    file: ModelFile
    judgment: Judgment
    room: Room
    gpus: GpuMemory


def notes(settings: HostSettings, probe: Probe) -> tuple[str, ...]:
    """A sentence for each model that is not on the host yet."""
    return tuple(_describe(settings, probe, name, file) for name, file in _missing(settings, probe))


def check_fit(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse if a GPU must run the model, and the GPUs can't take all of it."""
    if not settings.gpu:
        return None
    for name, file in _missing(settings, probe):
        if name.lower() == str(settings.model).lower() and (refused := _check(settings, probe, name, file)):
            return refused
    return None


def _missing(settings: HostSettings, probe: Probe) -> list[tuple[str, ModelFile]]:
    """The models that the host lacks, with what it read of their files."""
    if not settings.manages_ollama:
        return []
    present = set(map(str.lower, probe.models)) if probe.knows("models") else set()
    offers = [offer for offer in probe.upstream.offers if offer.kind == "model" and offer.name.lower() not in present]
    return [(offer.name, offer.file) for offer in offers if offer.file]


def _judge(settings: HostSettings, probe: Probe, name: str, file: ModelFile) -> _Case:
    """Raises NotCovered if the host, the release or the model is not covered."""
    if file.shape is None:
        raise NotCovered(file.problem)
    room, gpus = read_room(settings, probe)
    options = load_options(settings, file, gpus.total)
    return _Case(name, file, judge(file.shape, options, room, extra=file.extra), room, gpus)


def _check(settings: HostSettings, probe: Probe, name: str, file: ModelFile) -> Refused | None:
    try:
        case = _judge(settings, probe, name, file)
    except NotCovered:
        return None
    found = case.judgment
    if found.can_be_whole or not case.gpus.free:
        return None
    kept = found.need.reserve + found.need.spare + found.options.overhead
    usable = sum(max(0, each - kept) for each in case.gpus.free)
    figure = f"it needs {_about(found)}{_size(found.need.on_gpu)} {_conditions(found)}"
    reason = f"{name} does not fit on the GPU: {figure}, and Ollama can use {_size(usable)} there"
    return Refused(
        reason, (*_ways(settings, case), "or accept slow answers from main memory, in the inventory: `gpu`: None")
    )


def _ways(settings: HostSettings, case: _Case) -> tuple[str, ...]:
    """Settings that would make it fit."""
    found, own = case.judgment, "num_ctx" in case.file.parameters
    least = SHORTEST_CONTEXT if settings.openhands_flavor != "off" else 1
    if (found.largest or 0) < least:
        return (f"in the inventory: a smaller model than {case.name}, or one with fewer bits for a weight",)
    if own:
        return (f"in the inventory: give {case.name} a `modelfile` with PARAMETER num_ctx {found.largest}",)
    parallel = settings.ollama_environment.get("OLLAMA_NUM_PARALLEL", "1")
    fewer = () if parallel in ("", "0", "1") else ("in the inventory, in `ollama_env`: a smaller OLLAMA_NUM_PARALLEL",)
    return (f"in the inventory: `ollama_context_length`: {found.largest}, or a smaller model", *fewer)


def _describe(settings: HostSettings, probe: Probe, name: str, file: ModelFile) -> str:
    try:
        case = _judge(settings, probe, name, file)
    except NotCovered as error:
        return f"fleethands does not know whether {name} fits: {error}"
    found = case.judgment
    on_gpu = found.verdict in {Verdict.WHOLE, Verdict.SPLIT}
    size = found.need.on_gpu if on_gpu else found.need.on_cpu
    return (
        f"{name} needs {_about(found)}{_size(size)} {_conditions(found)}; {_place(case)}{_doubt(case)}{_largest(case)}"
    )


def _conditions(found: Judgment) -> str:
    """The context, the cache and the requests that a figure is for."""
    used, many = found.options, found.options.parallel
    requests = "1 request" if many == 1 else f"{many} requests"
    return f"(context {used.context}, {found.need.cache} cache, {requests} at a time)"


def _size(size: int) -> str:
    """Sizes that are compared with each other need a digit more than others."""
    return f"{size / GIB:.1f} GiB" if size >= GIB else format_size(size)


def _about(found: Judgment) -> str:
    return "about " if found.need.error > EXACT else ""


def _place(case: _Case) -> str:
    found, free = case.judgment, _size(sum(case.gpus.free))
    gpus = case.gpus.names[0] if len(case.gpus.names) == 1 else f"{len(case.gpus.names)} GPUs"
    main = "" if case.room.main is None else f", which has {_size(case.room.main)} available"
    if found.verdict is Verdict.WHOLE:
        count = found.placement.gpus
        return f"it fits whole on {gpus if len(case.gpus.names) == count else f'{count} of {gpus}'} ({free} free)"
    if found.verdict is Verdict.SPLIT:
        part = f"{found.placement.on_gpus} of {found.placement.layers} layers"
        return f"it is split: {gpus} ({free} free) takes {part}, and the CPU computes the others"
    if found.verdict is Verdict.NOWHERE:
        rest = _size(found.placement.ram)
        return f"it does not fit, because {rest} of it needs main memory{main}"
    return (
        f"none of it fits on {gpus} ({free} free), so it is in main memory{main}"
        if case.gpus.free
        else (f"it is in main memory{main}")
    )


def _doubt(case: _Case) -> str:
    """A warning for a figure so close to the limit that its error decides."""
    found = case.judgment
    if found.best is found.worst or Verdict.WHOLE not in (found.best, found.worst):
        return ""
    return f", but the figure may be wrong by {found.need.error:.0%}, and that decides"


def _largest(case: _Case) -> str:
    found = case.judgment
    where = "whole" if case.gpus.free else "there"
    if found.largest:
        return f"; the largest context that fits {where} is {found.largest}"
    return f"; no context makes it fit {where}" if case.gpus.free or case.room.main is not None else ""
