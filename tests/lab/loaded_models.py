"""Models of many shapes, without weights, that a real Ollama loads; and what its /api/ps shows of them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fleethands.fit.estimate import estimate
from fleethands.fit.header import read_header
from fleethands.fit.load_options import LoadOptions
from fleethands.fit.shape import Shape
from tests.helpers.gguf_models import GgufModel, file_size
from tests.lab.host import Host

SOFT = {"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0}
MODELS = {
    "dense": GgufModel("llama", 4, 256, 8, 8),
    "wide-heads": GgufModel("llama", 6, 256, 4, 4, 128, vocabulary=2000),
    "grouped": GgufModel("llama", 16, 512, 8, 2, feed_forward=1024, vocabulary=4000),
    "one-group": GgufModel("llama", 12, 256, 8, 1, 32),
    "experts": GgufModel("llama", 8, 256, 8, 4, feed_forward=256, vocabulary=2000, experts=(8, 2)),
    "qwen2": GgufModel("qwen2", 12, 256, 4, 2, feed_forward=768, vocabulary=8000),
    "qwen2-wide": GgufModel("qwen2", 6, 512, 8, 2, feed_forward=1536, vocabulary=16000),
    "gemma2": GgufModel("gemma2", 8, 256, 4, 2, feed_forward=768, vocabulary=8000, window=4096, extra=SOFT),
    "qwen3": GgufModel("qwen3", 14, 256, 8, 4, 64, feed_forward=768, vocabulary=8000, context=40960),
    "qwen3-wide": GgufModel("qwen3", 12, 384, 8, 4, 128, feed_forward=1024, vocabulary=12000),
    "qwen3-short": GgufModel("qwen3", 10, 640, 10, 2, 64, feed_forward=1280, vocabulary=8000, context=4096),
    "qwen3moe": GgufModel("qwen3moe", 8, 256, 8, 2, 64, feed_forward=128, vocabulary=8000, experts=(16, 4)),
    "qwen3moe-wide": GgufModel("qwen3moe", 6, 512, 8, 4, 64, feed_forward=192, vocabulary=6000, experts=(12, 8)),
    "gemma3": GgufModel("gemma3", 12, 256, 4, 1, 128, feed_forward=768, vocabulary=32000, window=512),
    "gemma3-wide": GgufModel("gemma3", 12, 512, 8, 2, 64, feed_forward=1536, vocabulary=20000, window=1024),
    "gemma3-long": GgufModel("gemma3", 18, 256, 8, 4, 128, feed_forward=512, vocabulary=16000, window=1024),
}
PLACE, ADDRESS, UNIT = "/root/fit", "127.0.0.1:11999", "fit-ollama"


def put(host: Host) -> None:
    """Put all of them on a host, as files that take no space."""
    host.run(f"mkdir -p {PLACE}")
    for name, model in MODELS.items():
        file = f"{PLACE}/{name}.gguf"
        host.run(f"cat >{file} && truncate -s {file_size(model)} {file}", stdin=model.header())


@contextmanager
def second_ollama(host: Host, **variables: str) -> Iterator[None]:
    """Ollama a second time on a host, with these variables and a store of its own."""
    given = {"HOME": PLACE, "OLLAMA_HOST": ADDRESS, "OLLAMA_MODELS": f"{PLACE}/models", "OLLAMA_NOPRUNE": "1"}
    words = " ".join(f"--setenv={name}={value}" for name, value in {**given, **variables}.items())
    host.run(f"systemd-run --unit={UNIT} --collect {words} /usr/local/bin/ollama serve")
    try:
        host.run(f"until curl -fs -o /dev/null {ADDRESS}/api/version; do sleep 0.1; done", timeout=30)
        yield
    finally:
        host.run(f"systemctl stop {UNIT}", check=False)


def shown_size(host: Host, name: str, context: int) -> int:
    """Bytes that /api/ps shows of a model while it is loaded with this context."""
    template = 'TEMPLATE "{{ .Prompt }}"'
    load = json.dumps({"model": name, "options": {"num_ctx": context}})
    said = host.run(
        f"set -e; cd {PLACE}; export HOME={PLACE} OLLAMA_HOST={ADDRESS}\n"
        f"[ -f models/manifests/registry.ollama.ai/library/{name}/latest ] || {{\n"
        f"printf 'FROM ./{name}.gguf\\n%s\\n' '{template}' >Modelfile; ollama create {name} -f Modelfile >&2; }}\n"
        f"curl -fsS -o /dev/null -d '{load}' {ADDRESS}/api/generate; curl -fsS {ADDRESS}/api/ps\n"
        f"curl -fsS -o /dev/null -d '{json.dumps({'model': name, 'keep_alive': 0})}' {ADDRESS}/api/generate",
        timeout=120,
    )
    (row,) = json.loads(said.stdout)["models"]
    assert row["name"].startswith(name), row
    return int(row["size"])


def computed_size(name: str, context: int, options: Mapping[str, object]) -> int:
    """What fleethands computes from the header alone, for a host without a GPU."""
    shape = Shape.from_header(read_header(io.BytesIO(MODELS[name].header())))
    return estimate(shape, LoadOptions("0.24.0", context, **options)).on_cpu  # type: ignore[arg-type]
