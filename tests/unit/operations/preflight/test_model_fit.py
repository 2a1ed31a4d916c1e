"""What a plan shows about a model before its download, on hosts with recorded GPUs."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleethands.facts import Probe, gpu
from fleethands.facts.gpu import PciGpu
from fleethands.facts.model_file import ModelFile
from fleethands.facts.ollama import Ollama
from fleethands.facts.upstream import Offer, Upstream
from fleethands.operations.core.decision import Refused, Unchanged
from fleethands.operations.preflight import preflight
from fleethands.settings import HostSettings
from tests.helpers.gguf_models import GgufModel
from tests.hosts import bare, declared
from tests.unit.fit.test_memory import shape_of

FIXTURES = Path(__file__).parents[3] / "fixtures"
CODELLAMA = GgufModel("llama", 32, 4096, 32, 32, None, 11008, 32016, context=16384)  # 7B, F16: 12.6 GB
QWEN = GgufModel("qwen3", 30, 4096, 32, 8, 128, 12288, 151936, context=40960)
GIB_MAIN = (64 << 30) >> 10  # KiB


def host(settings: HostSettings, recorded: str = "", model: ModelFile | None = None, **sections: Any) -> Probe:
    """A host with the GPUs of a recorded answer of nvidia-smi, that lacks codellama:7b."""
    offer = Offer("model", "codellama:7b", "https://registry.ollama.ai/v2/x", "ok", size=5, digest="a" * 64)
    file = model or ModelFile(shape_of(CODELLAMA))
    found, system = bare(settings), bare(settings).system
    cards = gpu.Gpu()
    if recorded:
        word = base64.b64encode((FIXTURES / recorded).read_bytes()).decode()
        cards = gpu.parse_gpu(["nvidia 550.1", f"smi 0 {word}", "libcuda yes"])
    return found.replace(
        upstream=Upstream((replace(offer, file=file),)), gpu=cards,
        system=replace(system, memory_kib=GIB_MAIN), **sections,
    )  # fmt: skip


def settings_of(**data: Any) -> HostSettings:
    return declared(**{"openhands_flavor": "off", "ollama_context_length": 8192, **data})


def said(settings: HostSettings, probe: Probe) -> str:
    found = preflight.check.decide(settings, probe)
    assert isinstance(found, Unchanged), found
    (note,) = [each for each in found.notes if "codellama:7b" in each and "pin" not in each]
    return note


def refused(settings: HostSettings, probe: Probe) -> Refused:
    found = preflight.check.decide(settings, probe)
    assert isinstance(found, Refused)
    return found


@pytest.mark.parametrize(
    ("recorded", "data", "note"),
    [
        (
            "nvidia-smi-inforom.csv", {"ollama_context_length": 2048},
            "codellama:7b needs 13.5 GiB (context 2048, f16 cache, 1 request at a time); it "
            "fits whole on Tesla P100-PCIE-16GB (15.9 GiB free); the largest context that fits whole is 4608",
        ),
        (
            "nvidia-smi-inforom.csv", {},
            "codellama:7b needs 16.9 GiB (context 8192, f16 cache, 1 request at a time); it "
            "is split: Tesla P100-PCIE-16GB (15.9 GiB free) takes 28 of 33 layers, and the CPU computes the "
            "others; the largest context that fits whole is 4608",
        ),
        (
            "nvidia-smi-two.csv", {},
            "codellama:7b needs 16.9 GiB (context 8192, f16 cache, 1 request at a time); it "
            "fits whole on 1 of 2 GPUs (90.8 GiB free); the largest context that fits whole is 16384",
        ),
        (
            "", {},
            "codellama:7b needs 16.3 GiB (context 8192, f16 cache, 1 request at a time); it "
            "is in main memory, which has 64.0 GiB available; the largest context that fits there is 16384",
        ),
        (
            "", {"ollama_version": "0.32.15"},
            "codellama:7b needs about 16.7 GiB (context 8192, f16 cache, 1 request at a time); it is in main "
            "memory, which has 64.0 GiB available; the largest context that fits there is 16384",
        ),
        (
            "nvidia-smi-unified.csv", {},
            "fleethands does not know whether codellama:7b fits: the GPU's driver does not report its memory",
        ),
        (
            "", {"ollama_version": "0.20.0"},
            "fleethands does not know whether codellama:7b fits: Ollama 0.20.0 was not measured",
        ),
    ],
)  # fmt: skip
def test_a_plan_says_whether_a_model_fits(recorded: str, data: dict[str, Any], note: str) -> None:
    settings = settings_of(**data)

    assert said(settings, host(settings, recorded)) == note


def test_a_gpu_that_must_run_a_model_that_does_not_fit_refuses_the_host() -> None:
    settings = settings_of(gpu=True)

    found = refused(settings, host(settings, "nvidia-smi-inforom.csv"))

    assert found.reason == (
        "codellama:7b does not fit on the GPU: it needs 16.9 GiB (context 8192, f16 cache, 1 request at a time), and "
        "Ollama can use 15.0 GiB there"
    )
    assert found.hints == (
        "in the inventory: `ollama_context_length`: 4608, or a smaller model",
        "or accept slow answers from main memory, in the inventory: `gpu`: None",
    )
    smaller = settings_of(gpu=True, ollama_context_length=3840)
    assert "fits whole" in said(smaller, host(smaller, "nvidia-smi-inforom.csv"))


def test_the_hint_names_the_setting_that_decides() -> None:
    many = settings_of(gpu=True, ollama_context_length=3840, ollama_env={"OLLAMA_NUM_PARALLEL": 4})
    assert any("OLLAMA_NUM_PARALLEL" in hint for hint in refused(many, host(many, "nvidia-smi-inforom.csv")).hints)
    own = ModelFile(shape_of(CODELLAMA), parameters={"num_ctx": 16384})
    hints = refused(settings_of(gpu=True), host(settings_of(gpu=True), "nvidia-smi-inforom.csv", own)).hints
    assert hints[0] == "in the inventory: give codellama:7b a `modelfile` with PARAMETER num_ctx 4608"
    chat = settings_of(gpu=True, openhands_flavor="gui", ollama_context_length=32768)  # its own prompt needs 22000
    hints = refused(chat, host(chat, "nvidia-smi-inforom.csv")).hints
    assert hints[0] == "in the inventory: a smaller model than codellama:7b, or one with fewer bits for a weight"
    huge = ModelFile(shape_of(CODELLAMA), extra=30 << 30)
    hints = refused(settings_of(gpu=True), host(settings_of(gpu=True), "nvidia-smi-inforom.csv", huge)).hints
    assert hints[0] == "in the inventory: a smaller model than codellama:7b, or one with fewer bits for a weight"


def test_nothing_is_refused_for_a_model_that_is_not_covered() -> None:
    settings = settings_of(gpu=True)
    unknown = ModelFile(None, "its header did not arrive, or not within 8 s")

    note = said(settings, host(settings, "nvidia-smi-inforom.csv", unknown))

    assert note == "fleethands does not know whether codellama:7b fits: its header did not arrive, or not within 8 s"


def test_a_figure_that_may_be_wrong_refuses_nothing() -> None:
    """One GPU takes the model if the figure is 5 % too high."""
    fitting, model = settings_of(gpu=True, ollama_context_length=4096), ModelFile(shape_of(QWEN))
    probe = host(fitting, "nvidia-smi-inforom.csv", model)
    largest = int(said(fitting, probe).rpartition(" ")[2])

    note = said(settings_of(gpu=True, ollama_context_length=largest + 256), probe)

    assert ("is split" in note, "but the figure may be wrong by 5%, and that decides" in note) == (True, True)


def test_ollama_s_own_models_make_room_and_those_of_others_do_not() -> None:
    settings = settings_of(ollama_context_length=4096)
    probe = host(settings, "nvidia-smi-two.csv")
    own = probe.replace(ollama=Ollama("0.24.0", in_vram=(70_000 << 20,)))

    assert "(90.8 GiB free)" in said(settings, probe)
    assert "(159.2 GiB free)" in said(settings, own)


@pytest.mark.parametrize(
    ("variables", "gpus"),
    [
        ({"CUDA_VISIBLE_DEVICES": "-1"}, "it is in main memory"),
        ({"CUDA_VISIBLE_DEVICES": "0"}, "whole on NVIDIA H100 80GB HBM3 (79.6 GiB free)"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-9b60d1c7"}, "takes 19 of 33 layers"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-ffff"}, "fleethands does not know"),
        ({"OLLAMA_LLM_LIBRARY": "cpu_avx2"}, "it is in main memory"),
        ({"OLLAMA_SCHED_SPREAD": True}, "it fits whole on 2 GPUs"),
        ({"OLLAMA_GPU_OVERHEAD": 75 << 30}, "it is split"),
        ({"HIP_VISIBLE_DEVICES": "0"}, "fleethands does not know"),
    ],
    ids=str,
)
def test_variables_that_choose_gpus_count(variables: dict[str, Any], gpus: str) -> None:
    settings = settings_of(ollama_env=variables)

    assert gpus in said(settings, host(settings, "nvidia-smi-two.csv"))


def test_gpu_false_means_main_memory() -> None:
    settings = settings_of(gpu=False)

    assert "it is in main memory" in said(settings, host(settings, "nvidia-smi-two.csv"))


def test_amd_s_gpus_count_with_the_memory_that_their_driver_reports() -> None:
    settings = settings_of()
    card = PciGpu("0000:03:00.0", "amd", "0x744c", "amdgpu", 24560, 100)
    probe = host(settings).replace(gpu=gpu.Gpu((card,), amdgpu=True, nodes={"/dev/kfd": gpu.Node("0660", "render")}))

    assert "whole on AMD GPU (23.9 GiB free)" in said(settings, probe)


def test_a_context_that_is_not_declared_follows_the_gpus() -> None:
    for recorded, context in (("", 4096), ("nvidia-smi-two.csv", 16384)):  # codellama has no more than 16384
        settings = settings_of(ollama_context_length=None)

        assert f"(context {context}, " in said(settings, host(settings, recorded))


def test_too_little_main_memory_is_named() -> None:
    settings = settings_of()
    probe = host(settings)
    small = probe.replace(system=replace(probe.system, memory_kib=(8 << 30) >> 10))

    assert "it does not fit, because 16.3 GiB of it needs main memory, which has 8.0 GiB available" in said(
        settings, small
    )


def test_a_model_that_the_host_has_needs_no_note() -> None:
    settings = settings_of()
    found = preflight.check.decide(settings, host(settings).replace(models={"codellama:7b": "a" * 64}))

    assert isinstance(found, Unchanged)
    assert not any("fits" in note for note in found.notes)
