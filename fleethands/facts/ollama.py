"""Ollama: its releases, its process, its models."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleethands.facts import external_ollama
from fleethands.facts.external_ollama import VersionRequest
from fleethands.facts.framing import decode_word
from fleethands.facts.to_json import all_fields
from fleethands.settings.schema.ollama_env import is_known
from fleethands.settings.values.names import ModelName
from fleethands.settings.values.secret import MASK
from fleethands.untrusted import count, line, mapping, parse_json

Lines = list[str]
WHOLE = "whole"
DIGEST = re.compile(r"[0-9a-f]{64}")
IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Release:
    """
    An unpacked release.

    + sha256: of its main archive; intact: whether the binary is still as it was unpacked
    + variant: which of the archives were unpacked: whole, cpu, rocm, jetpack5, jetpack6
    """

    sha256: str
    intact: bool
    variant: str = WHOLE


@dataclass(frozen=True)
class Process:
    """
    The main process of ollama.service.

    + started: clock ticks since the host's boot
    + exe, environment: of Ollama itself; of Docker's client where its container does not run
    + image: id of its container's image, empty without a container; inside: Ollama's process in it, 0 without one
    """

    pid: int
    started: int
    exe: str
    environment: Mapping[str, str]
    image: str = ""
    inside: int = 0

    def public_fields(self, secrets: Collection[str]) -> Mapping[str, Any]:
        """JSON has only the variables that configure Ollama, and masks secrets among them."""
        shown = {name: value for name, value in sorted(self.environment.items()) if is_known(name)}
        masked = {name: MASK if name in secrets or _may_be_secret(name) else value for name, value in shown.items()}
        return {**all_fields(self), "environment": masked}


@dataclass(frozen=True)
class Ollama:
    """
    The answers of Ollama's API.

    + version: None where nothing listens, or the listener has no version
    + tools: whether OpenHands' model can call tools; context: its maximum in tokens; None where Ollama does not say
    + in_vram: bytes of each loaded model in GPU memory; asked only where there may be a GPU
    + way: how an external Ollama was reached
    """

    version: str | None = None
    tools: bool | None = None
    context: int | None = None
    in_vram: tuple[int, ...] = ()
    way: VersionRequest | None = None


@dataclass(frozen=True)
class CreatedModel:
    """A model that fleethands created: sha256 of its Modelfile, digests of its base and of the model itself."""

    text: str
    base: str
    digest: str


@dataclass(frozen=True)
class ModelStore:
    """
    What fleethands has written down about models.

    + unfinished: names of models whose pull still runs, or was aborted
    + made: name → what it was created from
    + loaded: name → digest of models that `process` was asked to load; process: (pid, started)
    """

    unfinished: frozenset[str] = frozenset()
    made: Mapping[str, CreatedModel] = field(default_factory=dict)
    loaded: Mapping[str, str] = field(default_factory=dict)
    process: tuple[int, int] | None = None


def _may_be_secret(name: str) -> bool:
    return "KEY" in name.upper() or "PROXY" in name.upper()


def parse_releases(lines: Lines) -> dict[str, Release]:
    """Parse the section `releases`: version → release. Raises ValueError."""
    found = {}
    for row in lines:
        version, size, mtime, mode, uid, sha256, wanted_size, wanted_mtime, *variant = row.split(" ")
        intact = [size, mtime, mode, uid] == [wanted_size, wanted_mtime, "755", "0"]
        found[version] = Release(sha256, intact, *variant)  # older markers name no variant
    return found


def parse_process(lines: Lines) -> Process | None:
    """Parse the section `process`; None where the service does not run. Raises ValueError, ProbeError."""
    if not lines:
        return None
    pid, started, exe, *container = lines[0].split(" ")
    inside, image = container or ("0", "")
    if image and not IMAGE_ID.fullmatch(image):
        raise ValueError(image[:100])
    (environ,) = lines[1:] or [""]
    pairs = decode_word("process", environ).decode(errors="backslashreplace").split("\0")
    return Process(
        int(pid),
        int(started),
        decode_word("process", exe).decode(errors="backslashreplace"),
        dict(pair.partition("=")[::2] for pair in pairs if pair),
        image,
        int(inside),
    )


def parse_ollama(lines: Lines) -> Ollama:
    """Parse the section `ollama`. Raises ValueError, LookupError, ProbeError."""
    if lines == ["refused"]:
        return Ollama()
    answer, *shown = lines
    found = _first(answer)
    for row in shown:
        word, *words = row.split(" ")
        if word == "from" and found.way:
            found = replace(found, way=replace(found.way, ours=external_ollama.parse_source_address(*words)))
        elif word == "size_vram":
            found = replace(found, in_vram=(*found.in_vram, count(int(*words))))
        elif word == "model" and found.tools is None:
            tools, context = words
            found = replace(found, tools=_YES[tools], context=count(int(context)) if context != "-" else None)
        else:
            raise ValueError(word)
    return found


_YES = {"yes": True, "no": False}


def _first(answer: str) -> Ollama:
    word, _, text = answer.rpartition(" ")
    if word == "elsewhere":
        version, way = external_ollama.parse_version(text)
        return Ollama(version, way=way)
    return Ollama(line(mapping(parse_json(decode_word("ollama", answer)))["version"], 100))


def parse_models(lines: Lines) -> dict[str, str]:
    """Parse the section `models`: name as Ollama lists it → digest. Files that are no manifests are skipped."""
    found: dict[str, str] = {}
    for row in lines:
        if row.startswith("tags "):
            return external_ollama.parse_models(row.removeprefix("tags "))
        digest, _, path = row.partition("  ./")
        parts = path.split("/")
        if DIGEST.fullmatch(digest) and len(parts) == 4 and all(parts):
            found[str(ModelName(*parts))] = digest
    return found


def parse_store(lines: Lines) -> ModelStore:
    """Parse the section `store`. Raises ValueError for an unknown line."""
    unfinished, made, loaded = set(), {}, {}
    process = None
    for row in lines:
        kind, *words = row.split(" ")
        if kind == "pulling":
            (name,) = words
            unfinished.add(name)
        elif kind == "made":
            text, base, digest, name = words
            made[name] = CreatedModel(text, base, digest)
        elif kind == "process":
            pid, started = words
            process = int(pid), int(started)
        elif kind == "loaded":
            digest, name = words
            loaded[name] = digest
        else:
            raise ValueError(kind)
    return ModelStore(frozenset(unfinished), made, loaded, process)
