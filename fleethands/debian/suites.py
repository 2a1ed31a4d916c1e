"""The suites whose packages a bundle may have."""

from __future__ import annotations

from dataclasses import dataclass

KEYRINGS = {
    "debian": (
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        "/usr/share/keyrings/debian-archive-keyring.pgp",
    ),
    "ubuntu": ("/usr/share/keyrings/ubuntu-archive-keyring.gpg",),
}
KEYRING_PACKAGES = {"debian": "debian-archive-keyring", "ubuntu": "ubuntu-keyring"}  # Debian has the second since 13
ARCHIVES = ("debian", "debian-security", "ubuntu", "ubuntu-ports")


@dataclass(frozen=True)
class Pocket:
    """
    One signed part of a suite: its first release, its updates, its security updates.

    + mirror: one of ARCHIVES
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
