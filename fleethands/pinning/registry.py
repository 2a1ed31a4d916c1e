"""Asks registries from the controller for the digests of models and images, once per name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit

from fleethands import oci, web
from fleethands.operations.models.model_store import manifest_url
from fleethands.settings.host import HostSettings
from fleethands.settings.schema.models import Model
from fleethands.settings.values.images import locate_image
from fleethands.settings.values.names import ModelName
from fleethands.text.sanitize import sanitize
from fleethands.untrusted import mapping, parse_json

TOKEN = 64 << 10  # bytes of an answer with a token
AT_ONCE = 8
REASONS = {401: "requires a login", 403: "refuses to answer", 404: "has no such {what}"}
T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True)
class RegistryDigest:
    """The sha256 of a manifest, as Ollama lists it since 0.19.0, and the bytes that a pull downloads."""

    digest: str
    size: int


@dataclass(frozen=True)
class RegistryError:
    """Why a registry gave no digest."""

    reason: str


def look_up_models(
    models: Iterable[Model], patience: float = web.PATIENCE
) -> dict[ModelName, RegistryDigest | RegistryError]:
    """The manifest's digest, the sha256 of its body (ollama docs), of each model in its registry. Raises nothing."""
    wanted = {model.name: model for model in models if model.modelfile is None}
    found = map_concurrently(lambda model: _model(model, patience), wanted.values())
    return dict(zip(wanted, found, strict=True))


def look_up_images(names: Iterable[str], patience: float = web.PATIENCE) -> dict[str, str | RegistryError]:
    """Image → its digest in the registry, `sha256:…`. Raises nothing."""
    wanted = list(dict.fromkeys(names))
    return dict(zip(wanted, map_concurrently(lambda name: _image(name, patience), wanted), strict=True))


def resolve_tags(fleet: Collection[HostSettings], say: Callable[[str], None]) -> dict[str, str]:
    """
    Model or image → its digest in the registry, for host data `fleethands_check_tags`. A name that several hosts use is
    asked for once, and pinned names are not asked for.

    + say: prints a warning for each registry that gives no digest
    """
    known = look_up_models(model for settings in fleet for model in settings.models)
    names = {each.declared_image for each in fleet if each.container_image == each.declared_image}
    names |= {each.ollama_declared_image for each in fleet if each.ollama_container_image == each.ollama_declared_image}
    names -= {""}
    found = look_up_images(sorted(name for name in names if "@" not in name))
    for name, answer in [*known.items(), *found.items()]:
        if isinstance(answer, RegistryError):
            say(f"warning: {name}: {answer.reason}")
    return digests(known) | {name: answer for name, answer in found.items() if isinstance(answer, str)}


def digests(found: dict[ModelName, RegistryDigest | RegistryError]) -> dict[str, str]:
    """Name → digest of the models that were found."""
    return {str(name): answer.digest for name, answer in found.items() if isinstance(answer, RegistryDigest)}


def map_concurrently(ask: Callable[[K], T], things: Iterable[K]) -> list[T]:
    """Apply a function to several things at the same time; results in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, things))


def fetch(
    url: str, what: str, accept: str = "*/*", patience: float = web.PATIENCE, most: int = web.MOST
) -> bytes | RegistryError:
    """
    Fetch the body at a URL, with an anonymous token if the registry requires one (distribution, auth/token).

    + what: it is, for the reason; patience: seconds for each answer; most: bytes of it

    Raises nothing.
    """
    host = urlsplit(url).hostname or urlsplit(url).path
    try:
        try:
            return web.fetch(url, most=most, patience=patience, accept=accept)
        except HTTPError as error:
            error.close()
            token = _token(url, error, patience)
            if token is None:
                raise
            return web.fetch(url, most=most, patience=patience, accept=accept, token=token)
    except HTTPError as error:
        error.close()
        return RegistryError(f"{host} {REASONS.get(error.code, f'answers {error.code}').format(what=what)}")
    except web.FAILURES as error:
        return RegistryError(sanitize(f"{host}: {web.failure(error)}"))


@contextmanager
def open_authorized(url: str, *, most: int, patience: float, start: int = 0) -> Iterator[Any]:
    """
    Open the response of a registry, with an anonymous token if it requires one.

    Raises one of web.FAILURES.
    """
    with ExitStack() as stack:
        try:
            answer = stack.enter_context(web.open_url(url, most=most, patience=patience, start=start))
        except HTTPError as error:
            error.close()
            token = _token(url, error, web.PATIENCE)
            if token is None:
                raise
            answer = stack.enter_context(web.open_url(url, most=most, patience=patience, start=start, token=token))
        yield answer


def _token(url: str, refused: HTTPError, patience: float) -> str | None:
    """An anonymous token, or None if the registry offers none."""
    challenge = refused.headers.get("WWW-Authenticate", "") if refused.code == 401 else ""
    kind, _, rest = challenge.partition(" ")
    said = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    realm = urlsplit(said.get("realm", ""))
    if kind.lower() != "bearer" or realm.scheme not in {"https", urlsplit(url).scheme}:
        return None
    query = urlencode({key: said[key] for key in ("service", "scope") if key in said})
    address = realm._replace(query="&".join(part for part in (realm.query, query) if part)).geturl()
    answer = mapping(parse_json(web.fetch(address, most=TOKEN, patience=patience)))
    token = answer.get("token") or answer.get("access_token")
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else None


def _model(model: Model, patience: float) -> RegistryDigest | RegistryError:
    body = fetch(manifest_url(model), "model", oci.MANIFEST, patience)
    if isinstance(body, RegistryError):
        return body
    try:
        return RegistryDigest(hashlib.sha256(body).hexdigest(), oci.size(body))
    except ValueError:
        return RegistryError(f"{model.name.host} sent something that is not a manifest")


def _image(name: str, patience: float) -> str | RegistryError:
    server, repository, tag = locate_image(name)
    body = fetch(
        f"https://{server}/v2/{quote(repository)}/manifests/{tag}", "image", ", ".join(oci.IMAGE_TYPES), patience
    )
    if isinstance(body, RegistryError):
        return body
    try:
        oci.check_image(body)
    except ValueError:
        return RegistryError(f"{server} sent something that is not a manifest")
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
