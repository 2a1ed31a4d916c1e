"""fleethands.lock: what versions and tags stood for when `fleethands pin` asked. It lies where commands are typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from fleethands.errors import FleethandsError
from fleethands.files import atomic_write
from fleethands.settings.generations import sandbox_image
from fleethands.settings.host import HostSettings, Model
from fleethands.settings.pins import Pinnable, Pins
from fleethands.settings.values import modelfile
from fleethands.settings.values.images import is_tagged
from fleethands.settings.values.ollama_release import ARCHS, archive_name

LOCKFILE_NAME = "fleethands.lock"
SCHEMA = 1
LARGEST = 16 << 20  # bytes
CONFLICT_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
REWRITE_HINT = f"to write a new one: rm {LOCKFILE_NAME} && fleethands pin"
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class LockfileError(FleethandsError):
    """A lockfile that can't be read; the message names the place."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ModelPin(_Part):
    """digest: sha256 of the manifest; size: bytes of all that a pull brings."""

    digest: Hex
    size: Annotated[int, Field(ge=0)]


class LockfileContents(_Part):
    """
    A lock as it lies in its file.

    + ollama: version → file of the release → sha256
    + models: name, as Ollama lists it → what its tag names
    + images: image, as the inventory has it → digest of its manifest, or of the index of several architectures
    """

    schema_: Literal[1] = Field(1, alias="schema")
    images: dict[str, Digest] = {}
    models: dict[str, ModelPin] = {}
    ollama: dict[str, dict[str, Hex]] = {}

    def text(self) -> str:
        """The file: sorted, a value a line."""
        return json.dumps(self.model_dump(by_alias=True), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Lockfile:
    """What is pinned; path None: there is no lock, and nothing is."""

    document: LockfileContents = field(default_factory=LockfileContents)
    path: Path | None = None


def lockfile_path(directory: Path | None = None) -> Path:
    """Where a project's lock lies: in the directory in which `fleethands` or `pyinfra` is typed."""
    return (directory or Path.cwd()) / LOCKFILE_NAME


def load_lockfile(path: Path) -> Lockfile:
    """The lock at a path, an empty one where none is. Raises LockfileError."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content.decode()
    except FileNotFoundError:
        return Lockfile()
    except (OSError, UnicodeDecodeError) as error:
        raise LockfileError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is not text'}", REWRITE_HINT
        ) from None
    if len(content) > LARGEST:
        raise LockfileError(f"{path} is larger than {LARGEST >> 20} MiB", REWRITE_HINT)
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(CONFLICT_MARKERS):
            keep = f"keep one side: git checkout --theirs {LOCKFILE_NAME}, or --ours"
            raise LockfileError(f"{path}, line {number}: unresolved merge conflict (`{line[:20]}`)", keep, REWRITE_HINT)
    return Lockfile(_parse(text, path), path)


def write_lockfile(path: Path, document: LockfileContents) -> None:
    """Put a lock in its place, whole or not at all. Raises OSError."""
    atomic_write(path, document.text().encode())


def find_pinnable(settings: HostSettings) -> Pinnable:
    """What a host would have pinned; what its settings name by digest is pinned there."""
    files = modelfile.load_modelfiles(settings)
    listed = [model for model in settings.models if model.modelfile is None and model.digest is None]
    known = {model.name for model in settings.models}
    bases = {file.base: Model(name=file.base) for file in files.values() if file.base not in known}
    named = (settings.declared_image, sandbox_image(settings), settings.ollama_declared_image)
    images = [image for image in named if image and is_tagged(image)]
    listed_release = (settings.ollama_version, settings.ollama_url.rstrip("/"))
    release = listed_release if settings.ollama_runtime == "service" and settings.ollama_sha256 is None else None
    return Pinnable(release, (*listed, *bases.values()), tuple(images))


def apply_pins(settings: HostSettings, lock: Lockfile) -> tuple[HostSettings, list[tuple[str, str]]]:
    """A host's settings, held to a lock, and (path, problem) of each that contradicts it."""
    if lock.path is None:
        return settings, []
    want, document = find_pinnable(settings), lock.document
    names = [str(model.name) for model in want.models]
    version = settings.ollama_version
    missing = [f"Ollama {version}"] if want.release and version not in document.ollama else []
    missing += [name for name in names if name not in document.models]
    missing += [image for image in want.images if image not in document.images]
    pins = Pins(
        archives=document.ollama.get(version, {}) if want.release else {},
        models={name: document.models[name].digest for name in names if name in document.models},
        images={image: document.images[image] for image in want.images if image in document.images},
        missing=tuple(missing),
    )
    return settings.with_pins(pins), list(_contradictions(settings, document))


def _contradictions(settings: HostSettings, document: LockfileContents) -> Iterator[tuple[str, str]]:
    files = document.ollama.get(settings.ollama_version, {})
    locked = {arch: files.get(archive_name(settings.ollama_version, arch)) for arch in ARCHS.values()}
    declared = settings.ollama_sha256
    if isinstance(declared, dict):
        for arch, digest in declared.items():
            if locked.get(arch) not in (None, digest):
                yield f"ollama_sha256.{arch}", _describe_contradiction(str(locked[arch]), digest)
    elif declared is not None and files and declared not in locked.values():
        yield "ollama_sha256", _describe_contradiction(next(digest for digest in locked.values() if digest), declared)
    for index, model in enumerate(settings.models):
        pin = document.models.get(str(model.name))
        if pin is not None and model.digest not in (None, pin.digest):
            yield f"models.{index}.digest", _describe_contradiction(pin.digest, str(model.digest))


def _describe_contradiction(locked: str, declared: str) -> str:
    return f"expected `{locked}` from {LOCKFILE_NAME}, got `{declared}`: correct one of them, or remove one of them"


def _parse(text: str, path: Path) -> LockfileContents:
    try:
        document = json.loads(text, object_pairs_hook=_reject_duplicates)
    except json.JSONDecodeError as error:
        raise LockfileError(f"{path}, line {error.lineno}: it is not JSON: {error.msg}", REWRITE_HINT) from None
    except RecursionError:
        raise LockfileError(f"{path}: it is nested too deep", REWRITE_HINT) from None
    except ValueError as error:  # _once
        raise LockfileError(f"{path}: {error}", "remove the wrong one") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise LockfileError(
            f"{path}: schema {schema} is newer than this fleethands, which reads {SCHEMA}",
            f"update fleethands here, or {REWRITE_HINT}",
        )
    if schema != SCHEMA:
        raise LockfileError(f"{path}: expected `schema`: {SCHEMA}, got {json.dumps(schema)}", REWRITE_HINT)
    try:
        return LockfileContents.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LockfileError(f"{path}: `{where}`: {_expected(first)}", REWRITE_HINT) from None


def _expected(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "no such entry"
    if error["type"] == "string_pattern_mismatch":
        return "expected a sha256 in lower-case hex digits"
    return str(error["msg"]).lower()


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names are each there once: of two, Python would take the last in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"`{next(name for name in names if names.count(name) > 1)}` appears twice")
    return found
