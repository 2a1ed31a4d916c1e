"""Where layers go: as many as possible on as few GPUs as possible."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.fit.judge import Room, Verdict, judge
from fleethands.fit.load_options import LoadOptions
from fleethands.fit.memory_need import MemoryNeed
from fleethands.fit.placement import Placement, place
from tests.helpers.gguf_models import GgufModel
from tests.unit.fit.test_memory import shape_of

GIB = 1 << 30
MODEL = GgufModel("llama", 16, 512, 8, 2, feed_forward=1024, vocabulary=4000)


def placed(layers: list[int], output: int, *free: int, graph: int = 0, **options: Any) -> Placement:
    """The layers of sizes without a unit, on GPUs of sizes without a unit."""
    need = MemoryNeed(tuple(layers), output, inputs=7, cpu_graph=5, gpu_graph=graph, reserve=10)
    return place(need, LoadOptions("0.24.0", 4096, **options), free)


@pytest.mark.parametrize(
    ("found", "on_gpus", "gpus", "ram"),
    [
        (placed([50, 50], 50), 0, 0, 162),  # no GPU
        (placed([50, 50], 50, 160), 3, 1, 7),
        (placed([50, 50], 50, 159), 2, 1, 57),  # without the output, which is the same size
        (placed([50, 50], 100, 160), 2, 1, 107),  # without the output, more layers fit
        (placed([50, 50, 50, 50], 50, 120), 2, 1, 157),
        (placed([50, 50], 50, 40), 0, 0, 162),  # none fits
        (placed([50, 50], 50, 5), 0, 0, 162),  # less than the reserve
        (placed([50, 50], 50, 110, 60), 3, 2, 7),  # one GPU alone does not do
        (placed([50, 50], 50, 60, 200), 3, 1, 7),  # the larger one alone
        (placed([50, 50], 50, 160, 160, spread=True), 3, 2, 7),
        (placed([50, 50], 50, 165, graph=6), 2, 1, 57),
        (placed([50, 50], 50, 170, overhead=11), 2, 1, 57),
        (placed([50, 50], 50, 160, gpu_layers=0), 0, 0, 162),
        (placed([50, 50], 50, 160, gpu_layers=2), 2, 1, 57),
        (placed([50, 50], 50, 160, gpu_layers=99), 3, 1, 7),
    ],
)
def test_layers_are_placed_as_ollama_does(found: Placement, on_gpus: int, gpus: int, ram: int) -> None:
    assert (found.on_gpus, found.gpus, found.ram) == (on_gpus, gpus, ram)


@pytest.mark.parametrize(
    ("room", "verdict"),
    [
        (Room((GIB,), 8 * GIB), Verdict.WHOLE),
        (Room((800 << 20,), 8 * GIB), Verdict.SPLIT),
        (Room((400 << 20,), 8 * GIB), Verdict.MAIN_MEMORY),
        (Room((), 8 * GIB), Verdict.MAIN_MEMORY),
        (Room((), 100 << 20), Verdict.NOWHERE),
        (Room((400 << 20,), 100 << 20), Verdict.NOWHERE),
    ],
)
def test_a_model_is_judged_by_the_memory_of_the_host(room: Room, verdict: Verdict) -> None:
    found = judge(shape_of(MODEL), LoadOptions("0.24.0", 16384), room)

    assert found.verdict is verdict


def test_the_largest_context_fits_and_the_next_one_does_not() -> None:
    room, shape = Room((GIB,), 8 * GIB), shape_of(MODEL)
    largest = judge(shape, LoadOptions("0.24.0", 131072), room).largest

    assert largest is not None
    assert judge(shape, LoadOptions("0.24.0", largest), room).verdict is Verdict.WHOLE
    assert judge(shape, LoadOptions("0.24.0", largest + 256), room).verdict is Verdict.SPLIT


def test_a_figure_close_to_the_limit_decides_nothing() -> None:
    shape = shape_of(GgufModel("qwen3", 8, 512, 8, 8, 64, 4096, 8000))
    options = LoadOptions("0.24.0", 4096)
    need = judge(shape, options, Room(())).need
    enough = need.on_gpu + need.reserve
    near, far = (judge(shape, options, Room((enough - less,))) for less in (1 << 20, enough // 2))

    assert (near.verdict, near.can_be_whole, near.worst) == (Verdict.SPLIT, True, Verdict.SPLIT)
    assert (far.verdict, far.can_be_whole) == (Verdict.MAIN_MEMORY, False)
