"""What is in the model store of a host: its models with their sizes, and blobs that no model uses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fleethands import paths
from fleethands.everyday.fleet_command import read_parts
from fleethands.facts.framing import decode_base64
from fleethands.facts.probe_request import on_host
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.settings.expected import InvalidValue
from fleethands.settings.values.names import ModelName
from fleethands.untrusted import count, line, mapping, parse_json, rows

PARTS = ("facts/shell", "facts/directories", "facts/ollama", "facts/models", "stored_models")
PREFIX = "sha256-"  # of a blob's file name (ollama manifest/paths.go, v0.32.15)
MAX_MODELS = 1000
PARTIAL = "-partial"  # in the name of a blob whose pull is not complete


@dataclass(frozen=True)
class StoredModel:
    """
    One model on one host.

    + digest: 64 digits; empty for a model that is declared and missing
    + size: bytes of its blobs; blobs may belong to several models
    + loaded: None where Ollama did not answer
    """

    name: str
    digest: str = ""
    size: int = 0
    is_declared: bool = False
    loaded: bool | None = None

    @property
    def is_missing(self) -> bool:
        return not self.digest

    @property
    def is_unused(self) -> bool:
        """Whether it is neither declared nor loaded."""
        return not self.is_declared and self.loaded is False


@dataclass(frozen=True)
class ModelInventory:
    """
    The models of one host, sorted by name.

    + size: bytes of all blobs, each counted once; of an external Ollama, the sum of its models
    + unused: bytes that would become free without its unused models
    + unreferenced: bytes of blobs that no model uses; unfinished: bytes of pulls that are not complete
    """

    models: tuple[StoredModel, ...]
    size: int = 0
    unused: int = 0
    unreferenced: int = 0
    unfinished: int = 0


@dataclass(frozen=True)
class _Manifest:
    digest: str
    blobs: Mapping[str, int]


def store_script(settings: HostSettings, mark: str) -> Script:
    """The script that reads a host's models."""
    values = {
        "mark": mark,
        "home": paths.OLLAMA_HOME,
        "accounts": "ollama",
        "directories": "",
        "models_dir": on_host(settings.models_dir()),
        "elsewhere": "" if settings.manages_ollama else settings.ollama_server[0],
        "ollama_url": settings.ollama_client_url,
        "asked_model": "",
        "ollama_container": paths.OLLAMA_CONTAINER,
    }
    return Script(read_parts(*PARTS), values)


def parse_store(settings: HostSettings, lines: Sequence[str]) -> ModelInventory:
    """
    The models of a host, those that are declared and missing included.

    + settings: of this host
    + lines: the answer to `store_script`

    Raises ValueError, LookupError or TypeError for a damaged answer.
    """
    answer = _read_answer(lines)
    found = [*answer.listed, *(_model(name, each) for name, each in answer.manifests.items())]
    models = _with_state(found, settings, answer.loaded)
    if not settings.manages_ollama:
        unused = sum(each.size for each in models if each.is_unused)
        return ModelInventory(models, sum(each.size for each in models), unused)
    return _inventory(models, answer.manifests, answer.blobs)


@dataclass
class _StoreAnswer:
    """
    What a host answered.

    + listed: models of an external Ollama; loaded: None where Ollama did not answer
    """

    manifests: dict[str, _Manifest] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)
    listed: list[StoredModel] = field(default_factory=list)
    loaded: frozenset[str] | None = None


def _read_answer(lines: Sequence[str]) -> _StoreAnswer:
    answer = _StoreAnswer()
    for row in lines:
        kind, _, rest = row.partition(" ")
        match kind:
            case "manifest":
                answer.manifests.update(_manifest(*rest.split(" ")))
            case "blob":
                size, name = rest.split(" ")
                answer.blobs[line(name, 200)] = count(int(size))
            case "tags":
                answer.listed = list(_listed(rest))
            case "loaded":
                answer.loaded = frozenset(each.name for each in _listed(rest))
    return answer


def _inventory(
    models: tuple[StoredModel, ...], manifests: Mapping[str, _Manifest], blobs: Mapping[str, int]
) -> ModelInventory:
    referenced = {digest for each in manifests.values() for digest in each.blobs}
    used = {digest for each in models if not each.is_unused for digest in _blobs(manifests, each.name)}
    whole = {name: size for name, size in blobs.items() if PARTIAL not in name}
    return ModelInventory(
        models,
        size=sum(blobs.values()),
        unused=sum(size for name, size in whole.items() if name in referenced - used),
        unreferenced=sum(size for name, size in whole.items() if name not in referenced),
        unfinished=sum(size for name, size in blobs.items() if name not in whole),
    )


def _blobs(manifests: Mapping[str, _Manifest], name: str) -> Mapping[str, int]:
    return manifests[name].blobs if name in manifests else {}


def _with_state(
    found: Sequence[StoredModel], settings: HostSettings, loaded: frozenset[str] | None
) -> tuple[StoredModel, ...]:
    declared = {str(each.name) for each in settings.models}
    known = {
        each.name: replace(
            each, is_declared=each.name in declared, loaded=None if loaded is None else each.name in loaded
        )
        for each in found[:MAX_MODELS]
    }
    missing = [StoredModel(name, is_declared=True, loaded=False) for name in declared - known.keys()]
    return tuple(sorted([*known.values(), *missing], key=lambda each: each.name))


def _manifest(path: str, encoded: str = "") -> Iterator[tuple[str, _Manifest]]:
    """A model by its name; nothing for a file that is no manifest. Its account may write anything there."""
    parts = path.removeprefix("./").split("/")
    text = decode_base64("manifest", encoded)
    try:
        row = mapping(parse_json(text, 16384))
        layers = [*rows(row["layers"], 100), mapping(row["config"])]
        blobs = {line(each["digest"], 100).replace(":", "-"): count(each["size"]) for each in layers}
        if len(parts) == 4 and all(parts):
            yield str(ModelName(*parts)), _Manifest(hashlib.sha256(text).hexdigest(), blobs)
    except (ValueError, LookupError, TypeError):
        return


def _model(name: str, manifest: _Manifest) -> StoredModel:
    return StoredModel(name, manifest.digest, sum(manifest.blobs.values()))


def _listed(encoded: str) -> Iterator[StoredModel]:
    """Models of Ollama's list (api/types.go ListResponse and ProcessResponse, v0.32.15)."""
    answer = mapping(parse_json(decode_base64("models", encoded)))
    for each in rows(answer.get("models") or [], MAX_MODELS):
        try:
            name = str(ModelName.parse(line(each["name"], 350)))
            digest = line(each.get("digest") or "", 80).removeprefix("sha256:")
            yield StoredModel(name, digest or "unknown", count(each.get("size") or 0))
        except (ValueError, LookupError, InvalidValue):
            continue
