"""What registries offer under models' names now: asked from the controller, once a name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from fleethands.operations.store import manifest_url
from fleethands.settings.host import Model
from fleethands.settings.values import ModelName

TIMEOUT = 20.0  # seconds
LIMIT = 4 << 20  # bytes; a manifest has a few hundred
AT_ONCE = 8
ACCEPT = "application/vnd.docker.distribution.manifest.v2+json"
REASONS = {401: "asks for a login", 403: "refuses to answer", 404: "has no such model"}


@dataclass(frozen=True)
class Offered:
    """digest: sha256 of the manifest, as Ollama lists it from 0.19.0 on; size: bytes of all that a pull brings."""

    digest: str
    size: int


@dataclass(frozen=True)
class Unanswered:
    """Why a registry's answer is not known."""

    reason: str


def look_up(models: Iterable[Model], timeout: float = TIMEOUT) -> dict[ModelName, Offered | Unanswered]:
    """Ask each model's registry for its manifest (ollama docs: sha256 of the body is the digest). Raises nothing."""
    wanted = {model.name: model for model in models if model.modelfile is None}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda model: _ask(model, timeout), wanted.values())
        return dict(zip(wanted, found, strict=True))


def digests(found: dict[ModelName, Offered | Unanswered]) -> dict[str, str]:
    """Name → digest of those that are known, as `models.present` takes them (host data `fleethands_upstream`)."""
    return {str(name): answer.digest for name, answer in found.items() if isinstance(answer, Offered)}


def _ask(model: Model, timeout: float) -> Offered | Unanswered:
    host = model.name.host
    request = Request(manifest_url(model), headers={"Accept": ACCEPT})  # noqa: S310  http only where it says insecure
    try:
        with urlopen(request, timeout=timeout) as answer:  # noqa: S310
            body = answer.read(LIMIT + 1)
    except HTTPError as error:
        error.close()
        return Unanswered(f"{host} {REASONS.get(error.code, f'answers {error.code}')}")
    except (URLError, OSError, HTTPException) as error:
        return Unanswered(f"{host}: {getattr(error, 'reason', error)}")
    try:
        return Offered(hashlib.sha256(body).hexdigest(), _size(body))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Unanswered(f"{host} sends something that is no manifest")


def _size(body: bytes) -> int:
    document = json.loads(body)
    return sum(int(blob["size"]) for blob in [document["config"], *document["layers"]])
