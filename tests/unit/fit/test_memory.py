"""What a model needs, compared with what Ollama 0.24.0 reported for the same files, and with published figures."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from fleethands.fit.errors import NotCovered
from fleethands.fit.estimate import estimate
from fleethands.fit.header import read_header
from fleethands.fit.load_options import LoadOptions
from fleethands.fit.memory_need import MemoryNeed
from fleethands.fit.shape import Shape
from tests.helpers.gguf_models import GgufModel

MIB = 1 << 20
QWEN3 = GgufModel("qwen3", 28, 256, 8, 4, 64, 768, 8000, context=40960)
# a file, context, requests, type of the cache, OLLAMA_FLASH_ATTENTION, /api/ps of Ollama 0.24.0, what is computed
MEASURED: list[tuple[GgufModel, int, int, str, bool | None, int, int]] = [
    (GgufModel("llama", 2, 256, 8, 8, 32, 512, 1000), 2048, 1, "f16", None, 7332864, 7332864),
    (GgufModel("llama", 2, 256, 8, 8, 32, 512, 1000), 2048, 4, "f16", None, 19915776, 19915776),
    (GgufModel("llama", 16, 512, 8, 2, 64, 1024, 4000), 4096, 1, "f16", None, 109021184, 109021184),
    (GgufModel("llama", 32, 256, 4, 4, 64, 512, 32000), 8192, 1, "q8_0", True, 192611328, 192611328),
    (GgufModel("llama", 32, 256, 4, 4, 64, 512, 32000), 8192, 4, "q4_0", True, 326829056, 326829056),
    (GgufModel("llama", 8, 256, 8, 4, 32, 256, 2000, experts=(8, 2)), 4096, 1, "f16", None, 46195712, 46195712),
    (GgufModel("qwen2", 24, 256, 4, 2, 64, 768, 8000), 32768, 1, "q8_0", True, 243270656, 243270656),
    (GgufModel("gemma2", 8, 256, 4, 2, 64, 768, 8000), 4096, 1, "f16", None, 33489920, 33489920),
    (QWEN3, 4096, 1, "f16", None, 191241216, 191273216),
    (QWEN3, 4096, 4, "f16", None, 556145664, 556273664),
    (QWEN3, 16384, 1, "q8_0", None, 335944704, 335976704),
    (QWEN3, 131072, 1, "f16", None, 1285954560, 1285986560),  # it was trained for 40960 tokens
    (
        GgufModel("qwen3moe", 12, 256, 8, 2, 64, 128, 8000, experts=(16, 4)), 8192, 1, "f16", None,
        120093696, 118552832,
    ),
    (
        GgufModel("qwen3moe", 6, 512, 8, 4, 64, 192, 6000, experts=(12, 8)), 16384, 4, "q8_0", True,
        367408128, 365406976,
    ),
    (GgufModel("gemma3", 26, 256, 4, 1, 128, 768, 32000, window=512), 32768, 1, "f16", None, 201722880, 200278016),
    (GgufModel("gemma3", 34, 256, 8, 4, 128, 512, 32000, window=1024), 8192, 4, "q4_0", True, 334654464, 334117888),
    (GgufModel("gemma3", 12, 512, 8, 2, 64, 1536, 20000, window=1024), 65536, 1, "f16", None, 270704640, 269736064),
    # gemma2 has no flash attention, so its cache stays f16
    (GgufModel("gemma2", 8, 256, 4, 2, 64, 768, 8000), 8192, 1, "q8_0", True, 50267136, 50267136),
]  # fmt: skip


def shape_of(model: GgufModel) -> Shape:
    return Shape.from_header(read_header(BytesIO(model.header())))


def need_of(model: GgufModel, context: int, version: str = "0.24.0", **options: Any) -> MemoryNeed:
    return estimate(shape_of(model), LoadOptions(version, context, **options))


@pytest.mark.parametrize(
    ("model", "context", "parallel", "cache", "flash", "reported", "computed"),
    MEASURED,
    ids=[f"{row[0].architecture}-{row[1]}-{row[2]}-{row[3]}" for row in MEASURED],
)
def test_a_figure_agrees_with_what_ollama_reported(
    model: GgufModel, context: int, parallel: int, cache: str, flash: bool | None, reported: int, computed: int
) -> None:
    found = need_of(model, context, parallel=parallel, cache=cache, flash=flash)

    assert found.on_cpu == computed
    assert abs(found.on_cpu / reported - 1) <= (found.error or 0)


def test_the_graph_and_the_cache_of_qwen3_8b_are_those_of_a_published_log() -> None:
    """ollama#13343: context 4096, flash attention off."""
    model = GgufModel("qwen3", 36, 4096, 32, 8, 128, 12288, 151936, context=40960)
    found, empty = (need_of(model, context, flash=False) for context in (4096, 256))

    assert abs(found.cpu_graph - 4 * 151936 - 301989888) == 0
    assert sum(found.layers) - sum(empty.layers) == 36 * (4096 - 256) * 256 * 8 * 2


@pytest.mark.parametrize(("context", "mib"), [(8192, 300), (16384, 492), (32768, 876)])
def test_the_cache_of_gpt_oss_is_that_of_published_logs(context: int, mib: int) -> None:
    """ollama#11711, ollama#11939."""
    model = GgufModel("gptoss", 24, 2880, 64, 8, 64, 64, 300, experts=(2, 1), window=128)
    without = sum(shape_of(model).weights.layers)

    assert sum(need_of(model, context).layers) - without == mib * MIB


def test_the_cache_and_the_graph_of_qwen2_7b_are_those_of_llama_cpp() -> None:
    """ipex-llm#13301: context 4096, cache 224 MiB, compute buffer 304 MiB."""
    model = GgufModel("qwen2", 28, 3584, 28, 4, 128, 18944, 152064)
    found = need_of(model, 4096, version="0.32.15")

    assert sum(found.layers) - sum(shape_of(model).weights.layers) == 224 * MIB
    assert found.gpu_graph - 2 * 512 * 4096 == 304 * MIB
    assert found.error == 0.15


def test_a_vision_model_counts_the_part_that_reads_pictures() -> None:
    sight = {
        "vision.image_size": 896, "vision.patch_size": 14, "vision.embedding_length": 1152,
        "vision.feed_forward_length": 4304, "vision.attention.head_count": 16,
    }  # fmt: skip
    plain, seeing = (GgufModel("gemma3", 6, 256, 4, 1, 128, window=512, extra=extra) for extra in ({}, sight))

    assert need_of(seeing, 4096).cpu_graph == 4 * 4096 * (4304 + 3 * 1152)
    assert need_of(plain, 4096).cpu_graph < need_of(seeing, 4096).cpu_graph
    assert need_of(seeing, 4096, flash=False).cpu_graph >= 4 * 4096**2 * 16


def test_a_projector_is_added_whole() -> None:
    shape, options = shape_of(GgufModel("llama", 2, 256, 8, 8)), LoadOptions("0.24.0", 4096)

    assert estimate(shape, options, extra=1000).on_gpu == estimate(shape, options).on_gpu + 1000


@pytest.mark.parametrize(
    ("model", "options", "reason"),
    [
        (GgufModel("llama", 2, 256, 8, 8), {"version": "0.23.1"}, "Ollama 0.23.1 was not measured"),
        (GgufModel("llama", 2, 256, 8, 8), {"version": "0.34.0"}, "Ollama 0.34.0 was not measured"),
        (GgufModel("qwen3next", 2, 256, 8, 8), {}, "the architecture qwen3next was not measured"),
        (GgufModel("mamba", 2, 256, 8, 8, extra={"ssm.inner_size": 9}), {}, "layers without a cache"),
        (GgufModel("falcon", 2, 256, 8, 8), {"version": "0.32.15"}, "falcon is not covered for Ollama 0.32.15"),
        (GgufModel("gemma2", 2, 256, 8, 8), {"new_engine": True}, "the architecture gemma2 was not measured"),
        (GgufModel("qwen3", 2, 256, 8, 8, extra={"pooling_type": 3}), {}, "embedding models of the architecture qwen3"),
    ],
    ids=lambda value: value.architecture if isinstance(value, GgufModel) else None,
)
def test_what_no_formula_covers_has_no_figure(model: GgufModel, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotCovered, match=reason):
        need_of(model, 4096, **options)


def test_a_model_of_several_files_has_no_figure() -> None:
    values = {**GgufModel("llama", 2, 256, 8, 8).values, "split.count": 3}
    model = GgufModel("llama", 2, 256, 8, 8)
    header = read_header(BytesIO(model.header()))

    with pytest.raises(NotCovered, match="several files"):
        Shape.from_header(type(header)(values, header.tensors))
