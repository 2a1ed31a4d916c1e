"""The lockfile, fleethands.lock: checksums and digests that `fleethands pin` wrote into the working directory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from fleethands.errors import FleethandsError
from fleethands.files import atomic_write

LOCKFILE_NAME = "fleethands.lock"
SCHEMA = 1
CONFLICT_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
REWRITE_HINT = f"to write a new one: rm {LOCKFILE_NAME} && fleethands pin"
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class LockfileError(FleethandsError):
    """The lockfile cannot be read; the message has the place, and `line` is the line if it is known, otherwise 0."""

    line = 0

    @classmethod
    def at(cls, path: Path, line: int, problem: str, *hints: str) -> LockfileError:
        """The error for a line."""
        error = cls(f"{path}, line {line}: {problem}", *hints)
        error.line = line
        return error


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ModelPin(_Part):
    """The sha256 of a manifest, and the bytes that a pull downloads."""

    digest: Hex
    size: Annotated[int, Field(ge=0)]


class LockfileContents(_Part):
    """
    The contents of a lockfile.

    + ollama: version → file of the release → sha256
    + models: name, as Ollama lists it → its digest and size
    + images: image, as in the inventory → digest of its manifest, or of its index of several architectures
    """

    schema_: Literal[1] = Field(1, alias="schema")
    images: dict[str, Digest] = {}
    models: dict[str, ModelPin] = {}
    ollama: dict[str, dict[str, Hex]] = {}

    def text(self) -> str:
        """The text of the file: sorted, one value a line."""
        return json.dumps(self.model_dump(by_alias=True), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Lockfile:
    """
    A lockfile. Without a path there is none, and nothing is pinned.

    + bundles: files whose contents are pinned too (bundle_pins.py)
    """

    document: LockfileContents = field(default_factory=LockfileContents)
    path: Path | None = None
    bundles: tuple[str, ...] = ()


def lockfile_path(directory: Path | None = None) -> Path:
    """The path of a project's lockfile: in the directory where `fleethands` or `pyinfra` runs."""
    return (directory or Path.cwd()) / LOCKFILE_NAME


def load_lockfile(path: Path) -> Lockfile:
    """The lockfile at a path, or an empty one. Raises LockfileError."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return Lockfile()
    except (OSError, UnicodeDecodeError) as error:
        raise LockfileError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is not text'}", REWRITE_HINT
        ) from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(CONFLICT_MARKERS):
            keep = f"keep one side: `git checkout --ours {LOCKFILE_NAME}`, or `--theirs`"
            raise LockfileError.at(path, number, f"unresolved merge conflict (`{line[:20]}`)", keep, REWRITE_HINT)
    return Lockfile(_parse(text, path), path)


def write_lockfile(path: Path, document: LockfileContents) -> None:
    """Replace the lockfile in one step. Raises OSError."""
    atomic_write(path, document.text().encode())


def _parse(text: str, path: Path) -> LockfileContents:
    try:
        document = json.loads(text, object_pairs_hook=_reject_duplicates)
    except json.JSONDecodeError as error:
        raise LockfileError.at(path, error.lineno, f"not JSON: {error.msg}", REWRITE_HINT) from None
    except RecursionError:
        raise LockfileError(f"{path}: nested too deep", REWRITE_HINT) from None
    except ValueError as error:  # _reject_duplicates
        raise LockfileError(f"{path}: {error}", "remove the wrong one") from None
    _check_schema(document, path)
    try:
        return LockfileContents.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LockfileError(f"{path}: `{where}`: {_expected(first)}", REWRITE_HINT) from None


def _check_schema(document: Any, path: Path) -> None:
    schema = document.get("schema") if isinstance(document, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        problem = f"{path}: schema {schema} is newer than this fleethands, which reads {SCHEMA}"
        raise LockfileError(problem, f"update fleethands on this machine, or {REWRITE_HINT}")
    if schema != SCHEMA:
        raise LockfileError(f"{path}: expected `schema`: {SCHEMA}, got {json.dumps(schema)}", REWRITE_HINT)


def _expected(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "no such entry"
    if error["type"] == "string_pattern_mismatch":
        return "expected a sha256 in lower-case hex digits"
    return str(error["msg"]).lower()


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object without duplicate names. Python would silently take the last one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"`{next(name for name in names if names.count(name) > 1)}` appears twice")
    return found
