"""Whether a model fits: the figures of the plan against a real Ollama, and plans for hosts with recorded GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.helpers.gguf_models import GgufModel
from tests.lab import fleet, loaded_models
from tests.lab.host import Host
from tests.lab.internet.models import CONFIG, LAYER
from tests.lab.internet.registry import MANIFEST, Blob, compact
from tests.lab.lab import Lab
from tests.lab.many import brought
from tests.lab.shell import run

FIXTURES = Path(__file__).parents[1] / "fixtures"
CONTEXT, MOST_ERROR = 8192, 0.05
QUANTISED = {"OLLAMA_KV_CACHE_TYPE": "q8_0", "OLLAMA_FLASH_ATTENTION": "1"}
WAYS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "one request": ({}, {}),
    "four requests": ({"OLLAMA_NUM_PARALLEL": "4"}, {"parallel": 4}),
    "quantised cache": (QUANTISED, {"cache": "q8_0", "flash": True}),
    "quantised cache, four requests": (
        {**QUANTISED, "OLLAMA_NUM_PARALLEL": "4"},
        {"cache": "q8_0", "flash": True, "parallel": 4},
    ),
}
SAMPLE = ("one request", "quantised cache, four requests")
# the size of CodeLlama 7B with 16-bit weights; the file in the lab's registry is nothing but the header of one
LARGE = GgufModel("llama", 32, 4096, 32, 32, None, 11008, 32016, context=16384)


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=[] if way in SAMPLE else pytest.mark.soak, id=way) for way in WAYS]
)
def test_figures_agree_with_what_ollama_shows_of_loaded_models(serving: Host, way: str) -> None:
    variables, options = WAYS[way]
    loaded_models.put(serving)
    with loaded_models.second_ollama(serving, **variables):
        shown = {name: loaded_models.shown_size(serving, name, CONTEXT) for name in loaded_models.MODELS}

    errors = {name: loaded_models.computed_size(name, CONTEXT, options) / size - 1 for name, size in shown.items()}
    for name, error in errors.items():
        print(f"{way:32} {name:14} {shown[name]:>12} {error:+.2%}")
    assert len(errors) >= 14
    assert {name: error for name, error in errors.items() if abs(error) > MOST_ERROR} == {}


@pytest.fixture
def large(lab: Lab) -> str:
    """A model of this lab's own in the registry, of which there is only the header."""
    name, registry = f"large-{lab.site.ident}", lab.internet.registry
    weights, config = Blob.of(LARGE.header()), Blob.of(compact({"model_format": "gguf"}))
    for blob in (weights, config):
        registry.push(f"library/{name}", blob)
    top = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config.described(CONFIG)}
    registry.tag(f"library/{name}", "latest", compact({**top, "layers": [weights.described(f"{LAYER}.model")]}))
    return name


def test_plans_name_what_fits_on_recorded_gpus(lab: Lab, large: str, tmp_path: Path) -> None:
    """No host has a GPU: each prints what was recorded of one."""
    hosts = brought(lab, 3, "clean")
    for host in hosts.values():
        record_gpu(host, "nvidia-smi-inforom.csv", tmp_path)  # 16 GiB
    wanted: dict[str, Any] = {"openhands_flavor": "off", "models": [large]}

    _, whole = fleet.fleethands("plan", hosts="lab-1", **wanted, gpu=True, ollama_context_length=4096)
    _, split = fleet.fleethands("plan", hosts="lab-2", **wanted, ollama_context_length=8192)
    code, refused = fleet.fleethands("plan", hosts="lab-3", **wanted, gpu=True, ollama_context_length=8192)

    assert f"{large}:latest needs 14.6 GiB (context 4096, f16 cache, 1 request at a time); it fits whole on" in said(
        whole
    )
    assert "takes 28 of 33 layers" in said(split)
    told = refused["hosts"]["lab-3"]
    assert (code, told["status"]) == (1, "refused")
    assert told["reason"].startswith(f"{large}:latest does not fit on the GPU: it needs 16.9 GiB")
    assert told["hints"][0] == "in the inventory: `ollama_context_length`: 4608, or a smaller model"
    (facts,) = (document["hosts"][name] for name, document in (("lab-1", whole),))
    assert facts["remote_commands"] == 1


def record_gpu(host: Host, recorded: str, work: Path) -> None:
    """A stand-in for nvidia-smi that prints what was recorded, and an empty library for the driver's own."""
    text, library = (FIXTURES / recorded).read_text(), work / "libcuda.so.1"
    script = f"#!/bin/sh\ncat <<'.'\n{text}.\n"
    host.run("cat >/usr/local/bin/nvidia-smi; chmod 755 /usr/local/bin/nvidia-smi", stdin=script)
    run("cc", "-shared", "-nostdlib", "-Wl,-soname,libcuda.so.1", "-o", library, "-x", "c", "/dev/null", timeout=60)
    host.run("cat >/usr/local/lib/libcuda.so.1; ldconfig", stdin=library.read_bytes())


def said(document: dict[str, Any]) -> str:
    (told,) = document["hosts"].values()
    return "\n".join([told["reason"], *told["notes"]])
