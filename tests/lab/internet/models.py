"""Tiny models with random weights, under real names, for the lab's model registry.

They load in a real Ollama and answer at once with nonsense. They are made here and pushed as plain registry content; no
file of the genuine models is in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.lab import cache
from tests.lab.internet.registry import MANIFEST, Blob, Registry, compact

CONTEXT = 131072
EMBEDDING, FEED_FORWARD, BLOCKS, HEADS = 32, 64, 2, 4
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.ollama.image"
PLAIN = "{{ if .System }}{{ .System }} {{ end }}{{ .Prompt }}"
TOOLS = """\
{{- if .Tools }}[TOOLS]{{ range .Tools }}{{ . }}{{ end }}[/TOOLS]{{ end }}
{{- range .Messages }}
{{ .Role }}: {{ .Content }}{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", \
"parameters": {{ .Function.Arguments }}}{{ end }}
{{- end }}
assistant: """
# weights without a meaning hardly ever say that they are done, and an answer would go on for minutes
ENDS = {"num_predict": 64}


@dataclass(frozen=True)
class Model:
    """One name in the registry; another seed makes another digest."""

    repository: str
    tag: str
    seed: int
    template: str = PLAIN
    parameters: dict[str, int] = field(default_factory=dict, hash=False)
    padding: int = 0  # megabytes behind the tensors that nothing reads, for downloads that take their time

    @property
    def name(self) -> str:
        return f"model {self.repository}:{self.tag}"

    @property
    def reference(self) -> tuple[str, str]:
        return self.repository, self.tag

    def made_from(self) -> str:
        return cache.key(repr(self), Path(__file__))

    def push(self, registry: Registry, work: Path) -> str:
        """The digest is the one that `/api/tags` of a host that pulled it shows (there without `sha256:`)."""
        write(self, work / "model.gguf")
        weights = Blob.of(work / "model.gguf")
        template = Blob.of(self.template.encode())
        blobs = {"model": weights, "template": template}
        if self.parameters:  # Ollama takes a whole second for each further layer
            blobs["params"] = Blob.of(compact(self.parameters))
        config = Blob.of(_config(*blobs.values()))
        layers = [blob.described(f"{LAYER}.{kind}") for kind, blob in blobs.items()]
        for blob in (*blobs.values(), config):
            registry.push(self.repository, blob)
        top = {"schemaVersion": 2, "mediaType": MANIFEST}
        manifest = compact({**top, "config": config.described(CONFIG), "layers": layers})
        return registry.tag(self.repository, self.tag, manifest)


MODELS = (
    Model("library/codellama", "7b", seed=7),
    Model("library/codellama", "7b-instruct", seed=8),
    Model("library/tiny-tools", "latest", seed=9, template=TOOLS, parameters=ENDS),
    Model("library/padded", "latest", seed=10, padding=120),
)


def write(model: Model, file: Path) -> None:
    """A GGUF file that depends on nothing but the model's own fields."""
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name(f"fleethands lab: {model.name} (random weights)")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(EMBEDDING // HEADS)
    writer.add_rope_freq_base(10000.0)
    tokens = _add_vocabulary(writer)
    for name, tensor in _tensors(np.random.default_rng(model.seed), tokens).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with file.open("ab") as end:  # a tensor that no loader asks for would make the file invalid
        end.write(np.random.default_rng(model.seed).bytes(model.padding * 1_000_000))


def _add_vocabulary(writer: gguf.GGUFWriter) -> int:
    """Control tokens, all bytes and the printable characters, so that random tokens are mostly text; their number."""
    control, byte, normal = gguf.TokenType.CONTROL, gguf.TokenType.BYTE, gguf.TokenType.NORMAL
    letters = ["▁", *(chr(code) for code in range(0x21, 0x7F))]
    entries = [("<unk>", gguf.TokenType.UNKNOWN), ("<s>", control), ("</s>", control)]
    entries += [(f"<0x{code:02X}>", byte) for code in range(256)]
    entries += [(letter, normal) for letter in letters]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_vocab_size(len(entries))
    writer.add_token_list([text for text, _ in entries])
    writer.add_token_scores([0.0] * 259 + [-float(rank) for rank in range(len(letters))])
    writer.add_token_types([kind for _, kind in entries])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")
    return len(entries)


def _tensors(random: np.random.Generator, tokens: int) -> dict[str, Any]:
    def matrix(rows: int, columns: int) -> Any:
        return random.standard_normal((rows, columns), dtype=np.float32) / np.float32(columns**0.5)

    ones = np.ones(EMBEDDING, dtype=np.float32)
    tensors = {"token_embd.weight": matrix(tokens, EMBEDDING), "output_norm.weight": ones}
    tensors["output.weight"] = _output(matrix(tokens, EMBEDDING))
    for number in range(BLOCKS):
        block = f"blk.{number}."
        tensors |= {f"{block}{part}.weight": ones for part in ("attn_norm", "ffn_norm")}
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"{block}{part}.weight"] = matrix(EMBEDDING, EMBEDDING)
        tensors[f"{block}ffn_gate.weight"] = matrix(FEED_FORWARD, EMBEDDING)
        tensors[f"{block}ffn_up.weight"] = matrix(FEED_FORWARD, EMBEDDING)
        tensors[f"{block}ffn_down.weight"] = matrix(EMBEDDING, FEED_FORWARD)
    return tensors


def _output(rows: Any) -> Any:
    """Letters win over bytes and control tokens, so that what streams is printable text."""
    rows[:259] = 0
    rows[259:] *= 4
    return rows


def _config(*layers: Blob) -> bytes:
    return compact(
        {
            "model_format": "gguf",
            "model_family": "llama",
            "model_families": ["llama"],
            "model_type": "30K",
            "file_type": "F32",
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        }
    )
