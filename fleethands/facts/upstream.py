"""What a host lacks, and the source of each. The host itself asks, so that proxies and sizes are its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from fleethands import oci
from fleethands.facts.framing import decode_base64
from fleethands.facts.model_file import ModelFile, read_model_file
from fleethands.settings import HostSettings
from fleethands.settings.values.names import ModelName
from fleethands.settings.values.ollama_release import ARCHS, archive_name
from fleethands.settings.values.source import is_commit
from fleethands.untrusted import mapping, parse_json
from fleethands.web import public_url

OK, MISSING, UNREACHABLE, UNKNOWN = "ok", "missing", "unreachable", "unknown"
# curl's exit status. TLS errors are missing: the packages may bring the certificate authorities.
WAYS = {
    5: "its proxy's name is not known on this host",
    6: "its name is not known on this host",
    7: "nothing answers there",
    28: "no answer within 8 s",
}
FILE_PARTS = ("header", "params")  # of a model: lines that follow the one with its manifest
TOO_LONG = 63  # curl's exit status for --max-filesize (web.sh)
_COMMIT = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\t(\S{1,1000})\Z")


@dataclass(frozen=True)
class Offer:
    """
    The answer about one thing that the host lacks.

    + kind: model, archive or image; tag for an image that is present; commit for a git ref
    + name: the model as Ollama lists it, the version, the image, or what is built from source
    + state: ok, missing (the server says so), unreachable or unknown; reason: a sentence for all but ok
    + size: bytes to download, None if unknown
    + digest: of a model's manifest, in hex; `sha256:…` of a tag's
    + file: what is known of a model's file, None if the host was not asked
    """

    kind: str
    name: str
    url: str
    state: str
    reason: str = ""
    size: int | None = None
    digest: str | None = None
    file: ModelFile | None = None

    @property
    def server(self) -> str:
        """Host name of the source."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True)
class Upstream:
    """The answers about everything that the host lacks."""

    offers: tuple[Offer, ...] = ()

    def find(self, kind: str, name: str) -> Offer | None:
        """The answer about one thing, None if the host has it."""
        return next((offer for offer in self.offers if (offer.kind, offer.name) == (kind, name)), None)

    def size(self, kind: str, name: str) -> int | None:
        """Bytes to download of one thing, None if unknown or if the host has it."""
        offer = self.find(kind, name)
        return offer.size if offer else None


@dataclass(frozen=True)
class Download:
    """One thing that a host may have to download. `key` is its name in the script."""

    kind: str
    key: str
    name: str
    url: str

    @property
    def line(self) -> str:
        """The line for the script: kind, key and a line of curl's configuration, quoted for it (man curl, --config)."""
        if self.kind == "commit":
            return f"{self.kind} {self.key} {self.url}"
        quoted = self.url.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.kind} {self.key} url = "{quoted}"'


def required_downloads(settings: HostSettings) -> Iterator[Download]:
    """Everything that a host with these settings may have to download."""
    version, base = settings.ollama_version, settings.ollama_url.rstrip("/")
    fetches = settings.ollama_runtime == "service" and settings.ollama_transfer == "host"
    for machine, arch in ARCHS.items() if fetches else ():
        url = f"{base}/v{version}/{archive_name(version, arch)}"
        yield Download("archive", f"{version}/{machine}", version, url)
    for model in settings.models:
        if model.modelfile is None and settings.manages_ollama:
            yield _model(model.name, "http" if model.insecure else "https")
    source = settings.openhands_source if settings.openhands_flavor == "source" else None
    if source and source.repo and not is_commit(source.ref) and settings.openhands_pull == "always":
        yield Download("commit", str(settings.openhands_built), source.title, f"{source.repo} {source.ref}")
    if image := settings.ollama_container_image:
        yield Download("image", image, image, "")
    if image := settings.container_image:
        yield Download("image", image, image, "")
        if settings.openhands_pull == "always" and image == settings.declared_image:
            # Docker asks the image's registry (Engine API 1.30 and later). The path has no version, because Docker 29
            # no longer accepts the old ones.
            yield Download("tag", image, image, f"http://localhost/distribution/{image}/json")


def _model(name: ModelName, scheme: str) -> Download:
    url = f"{scheme}://{name.host}/v2/{name.namespace}/{name.model}/manifests/{name.tag}"
    return Download("model", f"{name.host}/{name.namespace}/{name.model}/{name.tag}", str(name), url)


def parse_upstream(settings: HostSettings, lines: list[str]) -> Upstream:
    """Parse the section `upstream`. Raises LookupError for a line about anything else than a required download."""
    known = {(each.kind, each.key): each for each in required_downloads(settings)}
    found, manifests, parts = [], {}, dict[tuple[str, str], bytes]()
    for line in lines:
        kind, key, machine, status, word = line.split(" ")
        answer = decode_base64("upstream", word)
        if kind in FILE_PARTS:
            parts[known["model", key].name, kind] = answer
            continue
        thing = known[kind, key]
        offer = _offer(thing, machine, int(status), answer)
        if kind == "model":
            manifests[offer.name] = answer.rpartition(b"\n")[0]
        found.append(offer)
    if len(found) != len({(offer.kind, offer.name) for offer in found}):
        raise LookupError("two answers about one thing")
    offers = (_with_file(offer, manifests, parts) for offer in found)
    return Upstream(tuple(sorted(offers, key=lambda offer: (offer.kind, offer.name))))


def _with_file(offer: Offer, manifests: dict[str, bytes], parts: dict[tuple[str, str], bytes]) -> Offer:
    """The same answer, with what the host read of a model's file."""
    header = parts.get((offer.name, "header")) if offer.kind == "model" and offer.state == OK else None
    if header is None:
        return offer
    file = read_model_file(manifests[offer.name], header, parts.get((offer.name, "params"), b""))
    return replace(offer, file=file)


def _offer(thing: Download, machine: str, status: int, answer: bytes) -> Offer:
    url = public_url(thing.url)

    def offer(state: str, reason: str, **found: Any) -> Offer:
        return Offer(thing.kind, thing.name, url, state, reason, **found)

    tool = {"image": "docker", "commit": "git"}.get(thing.kind, "curl")
    if status == 127:
        return offer(UNKNOWN, f"{tool} is not on the host yet")
    if thing.kind == "image":
        size = _image_size(answer, ARCHS.get(machine, machine)) if status == 0 else None
        return offer(OK if size else UNKNOWN, "" if size else "its registry gave no size", size=size)
    if status in WAYS:
        return offer(UNREACHABLE, WAYS[status])
    if status == 37:  # file://
        return offer(MISSING, "there is no such file")
    if status:
        ended = f"{tool} failed with status {status}"
        return offer(UNKNOWN, "its answer is too long" if status == TOO_LONG else ended)
    return READERS[thing.kind](answer, offer)


def _archive(answer: bytes, offer: Callable[..., Offer]) -> Offer:
    """Read the headers of all redirects and use the last ones. `file://` has no status line."""
    last = answer.decode(errors="replace").replace("\r", "").rstrip("\n").rpartition("\n\n")[2]
    code = re.match(r"HTTP/\S+ ([0-9]{3})\b", last)
    if code and code[1] in {"404", "410"}:
        return offer(MISSING, f"its server answers {code[1]}")
    if code and code[1] != "200":
        return offer(UNKNOWN, f"its server answers {code[1]}")
    length = re.search(r"^content-length: *([0-9]{1,15})$", last, re.IGNORECASE | re.MULTILINE)
    return offer(OK, "", size=int(length[1]) if length else None)


def _manifest(answer: bytes, offer: Callable[..., Offer]) -> Offer:
    body, _, code = answer.rpartition(b"\n")
    if code == b"404":
        return offer(MISSING, "its registry answers 404")
    if re.fullmatch(rb"[0-9]{3}", code) and code != b"200":
        return offer(UNKNOWN, f"its registry answers {code.decode()}")
    try:
        size = oci.size(body)
    except ValueError:
        return offer(UNKNOWN, "its registry answers no manifest")
    return offer(OK, "", size=size, digest=hashlib.sha256(body).hexdigest())


def _tag(answer: bytes, offer: Callable[..., Offer]) -> Offer:
    try:
        described = mapping(mapping(parse_json(answer)).get("Descriptor"))
        return offer(OK, "", digest=oci.digest(described.get("digest")))
    except ValueError:
        return offer(UNKNOWN, "its registry gave Docker no digest")


def _commit(answer: bytes, offer: Callable[..., Offer]) -> Offer:
    """Read `COMMIT ref` lines and choose as git does (gitrevisions(7)). `^{}` is the commit of a tag."""
    lines = map(_COMMIT.match, answer.decode(errors="replace").splitlines())
    found = [(line[1], line[2]) for line in lines if line]
    ranked = ((0 if ref.endswith("^{}") else 1 if "/tags/" in ref else 2, commit) for commit, ref in found)
    best = min(ranked, default=None)
    return offer(OK, "", digest=best[1]) if best else offer(MISSING, "its repository has no such ref")


READERS = {"archive": _archive, "model": _manifest, "tag": _tag, "commit": _commit}


def _image_size(answer: bytes, arch: str) -> int | None:
    """Bytes of all layers, from `docker manifest inspect --verbose` (docker/cli manifest/types)."""
    try:
        found = parse_json(answer)
        for entry in map(mapping, found) if isinstance(found, list) else [mapping(found)]:
            described = mapping(entry.get("Descriptor"))
            platform = mapping(described.get("platform") or {})
            if not isinstance(found, list) or (platform.get("os"), platform.get("architecture")) == ("linux", arch):
                return oci.size(entry.get("OCIManifest") or entry.get("SchemaV2Manifest"))
    except ValueError:
        pass
    return None
