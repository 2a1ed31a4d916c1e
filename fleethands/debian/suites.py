"""The suites whose packages a bundle may have, and where their archives are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from fleethands.errors import UsageError

KEYRINGS = {
    "debian": (
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        "/usr/share/keyrings/debian-archive-keyring.pgp",
    ),
    "ubuntu": ("/usr/share/keyrings/ubuntu-archive-keyring.gpg",),
}
KEYRING_PACKAGES = {"debian": "debian-archive-keyring", "ubuntu": "ubuntu-keyring"}  # Debian has the second since 13
MIRRORS = {
    "debian": "http://deb.debian.org/debian",
    "debian-security": "http://deb.debian.org/debian-security",
    "ubuntu": "http://archive.ubuntu.com/ubuntu",
    "ubuntu-ports": "http://ports.ubuntu.com/ubuntu-ports",
}
SCHEMES = ("http", "https")


@dataclass(frozen=True)
class Pocket:
    """
    One signed part of a suite: its first release, its updates, its security updates.

    + mirror: a key of MIRRORS
    + name: its directory below `dists`, and its Codename (Debian) or Suite (Ubuntu) in the signed index
    """

    mirror: str
    name: str


@dataclass(frozen=True)
class Suite:
    """
    A release of a distribution.

    + name: as `--suite` takes it: ID and VERSION_ID of /etc/os-release
    """

    name: str
    codename: str
    components: tuple[str, ...]

    @property
    def distribution(self) -> str:
        return self.name.partition("-")[0]

    def pockets(self, arch: str) -> tuple[Pocket, ...]:
        """The first release, its updates and its security updates."""
        if self.distribution == "debian":
            kinds = (("debian", ""), ("debian", "-updates"), ("debian-security", "-security"))
            return tuple(Pocket(mirror, self.codename + end) for mirror, end in kinds)
        mirror = "ubuntu" if arch == "amd64" else "ubuntu-ports"
        return tuple(Pocket(mirror, self.codename + end) for end in ("", "-updates", "-security"))


SUITES = {
    each.name: each
    for each in (
        Suite("debian-12", "bookworm", ("main",)),
        Suite("debian-13", "trixie", ("main",)),
        Suite("ubuntu-22.04", "jammy", ("main", "universe")),
        Suite("ubuntu-24.04", "noble", ("main", "universe")),
    )
}


def parse_mirrors(pairs: Iterable[str]) -> Mapping[str, str]:
    """The address of each archive, from `NAME=URL` of `--mirror`. Raises UsageError."""
    found = dict(MIRRORS)
    for pair in pairs:
        name, _, url = pair.partition("=")
        if name not in MIRRORS:
            raise UsageError(f"`--mirror {name}`: expected NAME=URL, where NAME is one of {', '.join(MIRRORS)}")
        scheme = urlsplit(url).scheme
        if scheme not in SCHEMES or not urlsplit(url).hostname:
            wanted = f"`--mirror {name}=…`: expected an address with http:// or https://"
            raise UsageError(f"{wanted}, got {scheme}://" if scheme else wanted)
        found[name] = url.rstrip("/")
    return found
