"""Reads Ollama: its releases, its process, its models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fleethands.facts import elsewhere
from fleethands.facts.elsewhere import VersionRequest
from fleethands.facts.framing import decode_base64
from fleethands.settings.values.names import ModelName
from fleethands.untrusted import count, line, mapping, parse_json

Lines = list[str]
WHOLE = "whole"
DIGEST = re.compile(r"[0-9a-f]{64}")
IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Release:
    """
    An unpacked Ollama: its main archive's digest, and whether its binary is still the one unpacked.

    + variant: what of its archives was unpacked: whole, cpu, rocm, jetpack5, jetpack6
    """

    sha256: str
    intact: bool
    variant: str = WHOLE


@dataclass(frozen=True)
class Process:
    """
    The main process of Ollama's service; `started` in clock ticks since the host's boot.

    + exe, environment: those of Ollama itself; of Docker's client where there is no container behind it
    + image: id of the image of its container, and inside: Ollama's own process there; empty and 0 without a container
    """

    pid: int
    started: int
    exe: str
    environment: Mapping[str, str]
    image: str = ""
    inside: int = 0


@dataclass(frozen=True)
class Ollama:
    """
    version None: nothing listens, or nothing that says one.

    + tools, context: whether the model that OpenHands is to have takes tools, and its longest context in tokens; None
      where Ollama does not say
    + in_vram: bytes of each loaded model in a GPU's memory; asked only where a GPU may be
    + way: how it was reached, of one that is elsewhere
    """

    version: str | None = None
    tools: bool | None = None
    context: int | None = None
    in_vram: tuple[int, ...] = ()
    way: VersionRequest | None = None


@dataclass(frozen=True)
class CreatedModel:
    """What a model was made from: sha256 of the Modelfile, digests of its base and of the model itself."""

    text: str
    base: str
    digest: str


@dataclass(frozen=True)
class ModelStore:
    """
    What we know of models beside their manifests.

    + unfinished: names whose pull runs, or ended without a word
    + made: name → what it was made from
    + loaded: name → digest, as the process (pid, started) was asked to load them
    """

    unfinished: frozenset[str] = frozenset()
    made: Mapping[str, CreatedModel] = field(default_factory=dict)
    loaded: Mapping[str, str] = field(default_factory=dict)
    process: tuple[int, int] | None = None


def parse_releases(lines: Lines) -> dict[str, Release]:
    found = {}
    for row in lines:
        version, size, mtime, mode, uid, sha256, wanted_size, wanted_mtime, *variant = row.split(" ")
        intact = [size, mtime, mode, uid] == [wanted_size, wanted_mtime, "755", "0"]
        found[version] = Release(sha256, intact, *variant)  # markers from before variants name none
    return found


def parse_process(lines: Lines) -> Process | None:
    if not lines:
        return None
    pid, started, exe, *container = lines[0].split(" ")
    inside, image = container or ("0", "")
    if image and not IMAGE_ID.fullmatch(image):
        raise ValueError(image[:100])
    (environ,) = lines[1:] or [""]
    pairs = decode_base64("process", environ).decode(errors="backslashreplace").split("\0")
    return Process(
        int(pid),
        int(started),
        decode_base64("process", exe).decode(errors="backslashreplace"),
        dict(pair.partition("=")[::2] for pair in pairs if pair),
        image,
        int(inside),
    )


def parse_ollama(lines: Lines) -> Ollama:
    if lines == ["refused"]:
        return Ollama()
    answer, *shown = lines
    found = _first(answer)
    for row in shown:
        word, *words = row.split(" ")
        if word == "from" and found.way:
            found = replace(found, way=replace(found.way, ours=elsewhere.parse_source_address(*words)))
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
        version, way = elsewhere.parse_version(text)
        return Ollama(version, way=way)
    return Ollama(line(mapping(parse_json(decode_base64("ollama", answer)))["version"], 100))


def parse_models(lines: Lines) -> dict[str, str]:
    """Name as Ollama lists it → digest; a file that is none of its manifests is nobody's model."""
    found: dict[str, str] = {}
    for row in lines:
        if row.startswith("tags "):
            return elsewhere.parse_models(row.removeprefix("tags "))
        digest, _, path = row.partition("  ./")
        parts = path.split("/")
        if DIGEST.fullmatch(digest) and len(parts) == 4 and all(parts):
            found[str(ModelName(*parts))] = digest
    return found


def parse_store(lines: Lines) -> ModelStore:
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
