"""What registries offer under names and tags now: asked from the controller, once a name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit

from fleethands import oci, web
from fleethands.operations.models.model_store import manifest_url
from fleethands.settings.host import HostSettings, Model
from fleethands.settings.values.images import located
from fleethands.settings.values.names import ModelName
from fleethands.text.sanitize import clean
from fleethands.untrusted import document, mapping

TOKEN = 64 << 10  # bytes of an answer with a token
AT_ONCE = 8
REASONS = {401: "requires a login", 403: "refuses to answer", 404: "has no such {what}"}
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


def look_up(models: Iterable[Model], patience: float = web.PATIENCE) -> dict[ModelName, Offered | Unanswered]:
    """Ask each model's registry for its manifest (ollama docs: sha256 of the body is the digest). Raises nothing."""
    wanted = {model.name: model for model in models if model.modelfile is None}
    found = at_once(lambda model: _model(model, patience), wanted.values())
    return dict(zip(wanted, found, strict=True))


def images(names: Iterable[str], patience: float = web.PATIENCE) -> dict[str, str | Unanswered]:
    """Image → digest of what its registry has under it now, `sha256:…`. Raises nothing."""
    wanted = list(dict.fromkeys(names))
    return dict(zip(wanted, at_once(lambda name: _image(name, patience), wanted), strict=True))


def tags(fleet: Collection[HostSettings], say: Callable[[str], None]) -> dict[str, str]:
    """
    Model or image → digest that its registry has under this name now (host data `fleethands_check_tags`). Each is asked
    once, however many hosts have it; nothing is asked of what is pinned.

    + say: is told what a registry did not answer, one line of text
    """
    known = look_up(model for settings in fleet for model in settings.models)
    names = {each.declared_image for each in fleet if each.container_image == each.declared_image}
    names |= {each.ollama_declared_image for each in fleet if each.ollama_container_image == each.ollama_declared_image}
    names -= {""}
    found = images(sorted(name for name in names if "@" not in name))
    for name, answer in [*known.items(), *found.items()]:
        if isinstance(answer, Unanswered):
            say(f"warning: {name}: {answer.reason}")
    return digests(known) | {name: answer for name, answer in found.items() if isinstance(answer, str)}


def digests(found: dict[ModelName, Offered | Unanswered]) -> dict[str, str]:
    """Name → digest of those that are known, as `models.present` takes them (host data `fleethands_check_tags`)."""
    return {str(name): answer.digest for name, answer in found.items() if isinstance(answer, Offered)}


def at_once(ask: Callable[[K], T], things: Iterable[K]) -> list[T]:
    """Ask for several things beside one another; answers in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, things))


def fetched(
    url: str, what: str, accept: str = "*/*", patience: float = web.PATIENCE, most: int = web.MOST
) -> bytes | Unanswered:
    """
    The body at an address, by an anonymous token where its registry wants one (distribution, auth/token).

    + what: it is, for the reason; patience: seconds for each answer; most: bytes of it

    Raises nothing.
    """
    host = urlsplit(url).hostname or urlsplit(url).path
    try:
        try:
            return web.fetched(url, most=most, patience=patience, accept=accept)
        except HTTPError as error:
            error.close()
            token = _token(url, error, patience)
            if token is None:
                raise
            return web.fetched(url, most=most, patience=patience, accept=accept, token=token)
    except HTTPError as error:
        error.close()
        return Unanswered(f"{host} {REASONS.get(error.code, f'answers {error.code}').format(what=what)}")
    except web.FAILURES as error:
        return Unanswered(clean(f"{host}: {web.reason(error)}"))


def _token(url: str, refused: HTTPError, patience: float) -> str | None:
    """A token for nobody in particular, None where that is not how to get in."""
    challenge = refused.headers.get("WWW-Authenticate", "") if refused.code == 401 else ""
    kind, _, rest = challenge.partition(" ")
    said = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    realm = urlsplit(said.get("realm", ""))
    if kind.lower() != "bearer" or realm.scheme not in {"https", urlsplit(url).scheme}:
        return None
    query = urlencode({key: said[key] for key in ("service", "scope") if key in said})
    address = realm._replace(query="&".join(part for part in (realm.query, query) if part)).geturl()
    answer = mapping(document(web.fetched(address, most=TOKEN, patience=patience)))
    token = answer.get("token") or answer.get("access_token")
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else None


def _model(model: Model, patience: float) -> Offered | Unanswered:
    body = fetched(manifest_url(model), "model", oci.MANIFEST, patience)
    if isinstance(body, Unanswered):
        return body
    try:
        return Offered(hashlib.sha256(body).hexdigest(), oci.size(body))
    except ValueError:
        return Unanswered(f"{model.name.host} sent something that is not a manifest")


def _image(name: str, patience: float) -> str | Unanswered:
    server, repository, tag = located(name)
    body = fetched(
        f"https://{server}/v2/{quote(repository)}/manifests/{tag}", "image", ", ".join(oci.IMAGE_TYPES), patience
    )
    if isinstance(body, Unanswered):
        return body
    try:
        oci.check_image(body)
    except ValueError:
        return Unanswered(f"{server} sent something that is not a manifest")
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
