"""References of container images, by Docker's grammar (distribution/reference, v0.6)."""

from __future__ import annotations

import re

from fleethands.settings.expected import InvalidValue, check_line

FORM = "an image such as `registry/name:tag` or `registry/name@sha256:…`"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_NAME = re.compile(rf"(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*\Z")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_ID = re.compile(r"[0-9a-f]{64}\Z")
LONGEST_NAME = 255


def check_image(value: object) -> str:
    """The reference, if Docker accepts it. Raises InvalidValue with the correct form."""
    text = check_line(value)
    if "://" in text:
        raise InvalidValue(f"an image without a scheme, such as `{text.split('://', 1)[1]}`")
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.match(digest):
        raise InvalidValue("a digest such as `@sha256:` and 64 lower-case hex digits")
    name, tag = _split(rest)
    if tag is not None and not _TAG.match(tag):
        raise InvalidValue("a tag of at most 128 letters, digits, `_`, `.` and `-`")
    if _NAME.match(name) is None or _ID.match(name) or len(name) > LONGEST_NAME:
        lower = text.replace(name, name.lower(), 1)
        near = name != name.lower() and _NAME.match(name.lower())
        raise InvalidValue(f"`{lower}`: names are in lower case" if near else FORM)
    return text


def is_image(text: str) -> bool:
    """Whether Docker accepts a text as the name of an image."""
    try:
        return bool(check_image(text))
    except InvalidValue:
        return False


def is_tagged(image: str) -> bool:
    """Whether an image has a tag, which may move, instead of a digest."""
    return "@" not in image


def at_digest(image: str, digest: str) -> str:
    """The image by its digest, without its tag: some of Docker's commands would still use the tag."""
    return f"{repository(image)}@{digest}"


def repository(image: str) -> str:
    """The image without its tag and digest."""
    return _split(image.partition("@")[0])[0]


def locate_image(image: str) -> tuple[str, str, str]:
    """
    Server, repository and tag or digest of an image, with Docker's defaults (distribution/reference, v0.6:
    splitDockerDomain; moby registry/config.go: Docker Hub's API is at registry-1.docker.io).
    """
    rest, _, digest = image.partition("@")
    name, tag = _split(rest)
    first, slash, path = name.partition("/")
    if not slash or not (set(first) & set(".:") or first == "localhost" or first != first.lower()):
        first, path = "docker.io", name
    if first in {"docker.io", "index.docker.io"}:
        first, path = "registry-1.docker.io", path if "/" in path else f"library/{path}"
    return first, path, digest or tag or "latest"


def _split(text: str) -> tuple[str, str | None]:
    """A name and its tag: a colon before a slash belongs to the registry's port."""
    before, colon, after = text.rpartition(":")
    return (before, after) if colon and "/" not in after else (text, None)
