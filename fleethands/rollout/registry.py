"""What registries offer under names and tags now: asked from the controller, once a name."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from typing import TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

from fleethands.operations.store import manifest_url
from fleethands.rollout.printable import clean
from fleethands.settings.host import HostSettings, Model
from fleethands.settings.images import located
from fleethands.settings.values import ModelName

TIMEOUT = 20.0  # seconds
LIMIT = 4 << 20  # bytes; a manifest has a few hundred
AT_ONCE = 8
ACCEPT = "application/vnd.docker.distribution.manifest.v2+json"
# an index before its parts: its digest is what a tag stands for on hosts of every architecture
ACCEPT_IMAGE = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        ACCEPT,
    )
)
REASONS = {401: "asks for a login", 403: "refuses to answer", 404: "has no such {what}"}
T = TypeVar("T")
K = TypeVar("K")


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
    found = at_once(lambda model: _model(model, timeout), wanted.values())
    return dict(zip(wanted, found, strict=True))


def images(names: Iterable[str], timeout: float = TIMEOUT) -> dict[str, str | Unanswered]:
    """Image → digest of what its registry has under it now, `sha256:…`. Raises nothing."""
    wanted = list(dict.fromkeys(names))
    return dict(zip(wanted, at_once(lambda name: _image(name, timeout), wanted), strict=True))


def tags(fleet: Collection[HostSettings], say: Callable[[str], None]) -> dict[str, str]:
    """
    Model or image → digest that its registry has under this name now (host data `fleethands_upstream`). Each is asked
    once, however many hosts have it; nothing is asked of what is pinned.

    + say: is told what a registry did not answer, one line of text
    """
    known = look_up(model for settings in fleet for model in settings.models)
    names = {each.declared_image for each in fleet if each.container_image == each.declared_image} - {""}
    found = images(sorted(name for name in names if "@" not in name))
    for name, answer in [*known.items(), *found.items()]:
        if isinstance(answer, Unanswered):
            say(f"warning: {name}: {answer.reason}")
    return digests(known) | {name: answer for name, answer in found.items() if isinstance(answer, str)}


def digests(found: dict[ModelName, Offered | Unanswered]) -> dict[str, str]:
    """Name → digest of those that are known, as `models.present` takes them (host data `fleethands_upstream`)."""
    return {str(name): answer.digest for name, answer in found.items() if isinstance(answer, Offered)}


def at_once(ask: Callable[[K], T], things: Iterable[K]) -> list[T]:
    """Ask for several things beside one another; answers in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, things))


def fetched(url: str, what: str, accept: str = "*/*", timeout: float = TIMEOUT) -> bytes | Unanswered:
    """
    The body at an address, by an anonymous token where its registry wants one (distribution, auth/token).

    + what: it is, for the reason

    Raises nothing.
    """
    host = urlsplit(url).hostname or urlsplit(url).path
    headers = {"Accept": accept}
    try:
        try:
            return _body(url, headers, timeout)
        except HTTPError as error:
            error.close()
            token = _token(url, error, timeout)
            if token is None:
                raise
            return _body(url, headers, timeout, token)
    except HTTPError as error:
        error.close()
        return Unanswered(f"{host} {REASONS.get(error.code, f'answers {error.code}').format(what=what)}")
    except (URLError, OSError, HTTPException, ValueError) as error:
        return Unanswered(clean(" ".join(f"{host}: {getattr(error, 'reason', None) or error}".split())))


def _body(url: str, headers: dict[str, str], timeout: float, token: str = "") -> bytes:
    request = Request(url, headers=headers)  # noqa: S310  http only where it says insecure
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")  # a redirect's server is not to have it
    with urlopen(request, timeout=timeout) as answer:  # noqa: S310
        body: bytes = answer.read(LIMIT + 1)
    if len(body) > LIMIT:
        raise ValueError(f"sends more than {LIMIT >> 20} MiB")
    return body


def _token(url: str, refused: HTTPError, timeout: float) -> str | None:
    """A token for nobody in particular, None where that is not how to get in."""
    challenge = refused.headers.get("WWW-Authenticate", "") if refused.code == 401 else ""
    kind, _, rest = challenge.partition(" ")
    said = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    realm = urlsplit(said.get("realm", ""))
    if kind.lower() != "bearer" or realm.scheme not in {"https", urlsplit(url).scheme}:
        return None
    query = urlencode({key: said[key] for key in ("service", "scope") if key in said})
    address = realm._replace(query="&".join(part for part in (realm.query, query) if part)).geturl()
    document = json.loads(_body(address, {}, timeout))
    token = document.get("token") or document.get("access_token") if isinstance(document, dict) else None
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else None


def _model(model: Model, timeout: float) -> Offered | Unanswered:
    body = fetched(manifest_url(model), "model", ACCEPT, timeout)
    if isinstance(body, Unanswered):
        return body
    try:
        return Offered(hashlib.sha256(body).hexdigest(), _size(body))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Unanswered(f"{model.name.host} sends something that is no manifest")


def _size(body: bytes) -> int:
    document = json.loads(body)
    return sum({blob["digest"]: int(blob["size"]) for blob in [document["config"], *document["layers"]]}.values())


def _image(name: str, timeout: float) -> str | Unanswered:
    server, repository, tag = located(name)
    body = fetched(f"https://{server}/v2/{quote(repository)}/manifests/{tag}", "image", ACCEPT_IMAGE, timeout)
    if isinstance(body, Unanswered):
        return body
    try:
        document = json.loads(body)
        if not isinstance(document["manifests" if "manifests" in document else "layers"], list):
            raise ValueError(name)
    except (ValueError, KeyError, TypeError, RecursionError):
        return Unanswered(f"{server} sends something that is no manifest")
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
