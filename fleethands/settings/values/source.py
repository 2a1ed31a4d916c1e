"""The source for the flavor `source`: upstream's release from npm, or a git checkout of either generation."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from fleethands.settings.expected import InvalidValue, check_line

RELEASES = {"v0": "0.62.0", "canvas": "1.16.0"}  # tested releases
SCHEMES = {"https", "http", "ssh", "git", "file"}
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_REF = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/+@-]*[A-Za-z0-9_+-])?\Z")


@dataclass(frozen=True)
class Source:
    """A source to build. Without a repo it is the npm package, and ref is its release."""

    generation: str
    repo: str | None
    ref: str

    @property
    def name(self) -> str:
        """The name of its directory on a host."""
        if self.repo is None:
            return self.ref
        return "git-" + hashlib.sha256(f"{self.repo}\0{self.ref}".encode()).hexdigest()[:12]

    @property
    def title(self) -> str:
        """A title for messages."""
        return f"Agent Canvas {self.ref}" if self.repo is None else f"{self.ref} of {self.repo}"


def source_generation(declared: str | None, repo: str | None, ref: str | None) -> str:
    """The expected generation of a checkout, `v0` or `canvas`. The build checks it in the checkout itself."""
    if declared is not None or repo is None:
        return declared or "canvas"
    if ref is None:
        return "v0" if "all-hands-ai" in repo.lower() else "canvas"
    return "v0" if re.match(r"v?0\.", ref) else "canvas"


def check_repository(value: object) -> str:
    """An address that git can fetch from. Raises InvalidValue, also for an address that git would run as a command."""
    url = check_line(value)
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not re.fullmatch(r"[!-~]+", url) or not parts.path.strip("/"):
        raise InvalidValue("an address such as `https://github.com/OpenHands/OpenHands`")
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        raise InvalidValue("an address without user and password", "which would show in plans and process lists")
    if parts.scheme != "file" and (parts.hostname is None or parts.netloc.startswith("-")):
        raise InvalidValue("an address with a server's name, such as `https://github.com/OpenHands/OpenHands`")
    return url


def check_ref(value: object) -> str:
    """A tag, branch or commit by git's own rules (git help check-ref-format). Raises InvalidValue."""
    ref = check_line(value)
    wrong = ".." in ref or "@{" in ref or "//" in ref or "/." in ref or ref.endswith(".lock") or len(ref) > 200
    if wrong or not _REF.match(ref):
        raise InvalidValue("a tag, a branch or a commit's 40 digits, such as `0.62.0`")
    return ref


def is_commit(ref: str) -> bool:
    """Whether a ref is a commit, which can't move."""
    return _COMMIT.match(ref) is not None
