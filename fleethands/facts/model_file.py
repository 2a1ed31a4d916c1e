"""What a registry offers of a model's file before its download: the header, the parameters, the bytes next to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleethands.fit.errors import HeaderError, NotCovered
from fleethands.fit.shape import Shape, read_shape
from fleethands.untrusted import count, mapping, parse_json, rows

LAYER = "application/vnd.ollama.image."
PARAMETERS = ("num_ctx", "num_gpu", "num_batch")  # those that memory depends on (ollama api/types.go Runner, v0.24.0)
# gguf_header.pl and upstream.sh, function `read_gguf`
FAILURES = {
    2: "its file has no GGUF header that fleethands can read",
    3: "its header did not arrive, or not within 8 s",
    4: "it is not one GGUF file",
    5: "its header is longer than 32 MiB",
    127: "perl is not on the host",
}


@dataclass(frozen=True)
class ModelFile:
    """
    The file of a model that the host lacks.

    + shape: None if it is not known; problem: the reason
    + extra: bytes of projectors and adapters, which are loaded next to it
    + parameters: those of the model itself that memory depends on
    """

    shape: Shape | None
    problem: str = ""
    extra: int = 0
    parameters: Mapping[str, int] = field(default_factory=dict)

    def public_fields(self, secrets: Collection[str]) -> Mapping[str, Any]:
        """JSON has no list of numbers for each layer."""
        known = self.shape
        shown = (
            {"architecture": known.architecture, "layers": known.layers, "context": known.context} if known else None
        )
        return {"shape": shown, "problem": self.problem, "extra": self.extra, "parameters": self.parameters}


def read_model_file(manifest: bytes, header: bytes, parameters: bytes) -> ModelFile:
    """
    What is known of the file.

    + header: as the host sent it: the header of the file, or `status` and a number
    + parameters: a JSON object, empty if the model has none
    """
    try:
        extra = _extra(manifest)
        own = _parameters(parameters) if parameters else {}
        word, _, status = header.decode("latin-1").strip().partition(" ")
        if word == "status":
            return ModelFile(None, FAILURES.get(int(status), "its header could not be read"), extra, own)
        return ModelFile(read_shape(header), "", extra, own)
    except HeaderError as error:
        return ModelFile(None, f"its file {error}")
    except NotCovered as error:
        return ModelFile(None, str(error))
    except ValueError:
        return ModelFile(None, "its registry's answer cannot be read")


def _extra(manifest: bytes) -> int:
    """Bytes of projectors and adapters. Raises NotCovered for a model of several files, ValueError for no manifest."""
    layers = rows(mapping(parse_json(manifest)).get("layers"))
    sizes: dict[str, list[int]] = {}
    for layer in layers:
        sizes.setdefault(str(layer.get("mediaType")), []).append(count(layer.get("size")))
    if len(sizes.get(f"{LAYER}model", ())) > 1:
        raise NotCovered("its weights are split into several files")
    return count(sum(sum(sizes.get(f"{LAYER}{kind}", ())) for kind in ("projector", "adapter")))


def _parameters(text: bytes) -> dict[str, int]:
    """Raises ValueError for anything but an object. A value that is no whole number is left out."""
    found = mapping(parse_json(text))
    numbers = {name: found.get(name) for name in PARAMETERS}
    return {
        name: min(value, 1 << 31)
        for name, value in numbers.items()
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0
    }
