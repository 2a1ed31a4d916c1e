"""An index counts only if a valid key signed it, and if it is the pocket that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleethands.debian.errors import ArchiveError
from fleethands.debian.mirrors import find_mirrors, mirror_of
from fleethands.debian.packages import PackageSet
from fleethands.debian.resolve import read_packages
from fleethands.debian.signature import find_keyring, signed_text
from fleethands.errors import UsageError
from tests.unit.debian.conftest import Mirror, Signer, stanza


def read(mirror: Mirror, keyring: Path | None = None) -> PackageSet:
    return read_packages(mirror.suite, "amd64", mirror.mirrors, keyring or mirror.keyring)


def test_the_newest_version_of_all_pockets_is_used(mirror: Mirror) -> None:
    mirror.publish("trixie", stanza("curl", "8.14.1-2"), stanza("zstd"))
    mirror.publish("trixie-security", stanza("curl", "8.14.1-2+deb13u1"))

    found = read(mirror)

    assert [found.get(name).version for name in ("curl", "zstd")] == ["8.14.1-2+deb13u1", "1.0"]  # type: ignore[union-attr]


def test_a_changed_index_is_refused(mirror: Mirror) -> None:
    mirror.publish("trixie", stanza("curl"))
    (mirror.root / "dists/trixie/main/binary-amd64/Packages.xz").write_bytes(b"\0" * 200)

    with pytest.raises(ArchiveError, match=r"Packages\.xz"):
        read(mirror)


def test_a_changed_signed_text_is_refused(mirror: Mirror) -> None:
    mirror.publish("trixie", stanza("curl"))
    place = mirror.root / "dists/trixie/InRelease"
    place.write_text(place.read_text().replace("Suite: stable", "Suite: stabil"))

    with pytest.raises(ArchiveError, match=r"is not signed by a valid key .*: the signature does not fit the text"):
        read(mirror)


def test_text_outside_of_the_signature_does_not_count(mirror: Mirror) -> None:
    mirror.publish("trixie", stanza("curl"))
    place = mirror.root / "dists/trixie/InRelease"
    place.write_text("Codename: other\n" + place.read_text() + "\nValid-Until: Thu, 01 Jan 1970 00:00:00 UTC\n")

    text = signed_text("x", place.read_bytes(), mirror.keyring)

    assert "Codename: trixie" in text
    assert "other" not in text
    assert "1970" not in text


def test_another_key_is_refused(mirror: Mirror, signer: Callable[..., tuple[Signer, Path]]) -> None:
    mirror.publish("trixie", stanza("curl"))

    with pytest.raises(ArchiveError, match="the keyring does not have its key"):
        read(mirror, signer()[1])


def test_an_expired_key_is_refused(mirror: Mirror, signer: Callable[..., tuple[Signer, Path]]) -> None:
    """gpgv itself exits with 0 for it."""
    mirror.signer, mirror.keyring = signer("20200101T000000", "1d")
    mirror.publish("trixie", stanza("curl"))

    with pytest.raises(ArchiveError, match="the key has expired"):
        read(mirror)


def test_no_signature_is_refused(mirror: Mirror) -> None:
    mirror.publish("trixie", stanza("curl"))
    (mirror.root / "dists/trixie/InRelease").write_text("Origin: Debian\nCodename: trixie\nSHA256:\n")

    with pytest.raises(ArchiveError, match="it has no signature"):
        read(mirror)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Codename": "bookworm"}, "dists/trixie is bookworm, expected trixie"),
        ({"Origin": "Ubuntu"}, "is not of debian"),
        ({"Valid_Until": "Sun, 06 Dec 2020 00:53:14 UTC"}, "is outdated: it was valid until Sun, 06 Dec 2020"),
        ({"Valid_Until": "soon"}, "its Valid-Until is not a date"),
    ],
)
def test_a_pocket_that_a_mirror_swapped_or_held_back_is_refused(
    fields: dict[str, str], reason: str, mirror: Mirror
) -> None:
    mirror.publish("trixie", stanza("curl"), **fields)

    with pytest.raises(ArchiveError, match=reason):
        read(mirror)


def test_a_password_of_a_mirror_is_not_shown(mirror: Mirror) -> None:
    mirrors = {name: url.replace("http://", "http://user:hunter2@") for name, url in mirror.mirrors.items()}

    with pytest.raises(ArchiveError) as caught:
        read_packages(mirror.suite, "amd64", mirrors, mirror.keyring)

    assert "hunter2" not in str([str(caught.value), *caught.value.hints])


@pytest.mark.parametrize(
    "pair", ["debian=file:///srv/mirror", "debian=ftp://mirror.example/debian", "debian=", "other=http://x"]
)
def test_a_mirror_without_http_is_refused(pair: str) -> None:
    with pytest.raises(UsageError, match="--mirror"):
        find_mirrors([pair])


ONE_LINE = "deb [signed-by=/k arch=amd64] http://own.example/debian trixie main\n# deb http://x/ubuntu noble main\n"
DEB822 = """Types: deb
# URIs: http://snapshot.example/debian
URIs: https://own.example/debian-security/
  http://second.example/debian-security
Suites: trixie-security

Types: deb
URIs: file:///srv/ubuntu http://me:secret@own.example/ubuntu-ports
"""


def test_mirrors_are_those_of_this_machines_apt(tmp_path: Path) -> None:
    tmp_path.joinpath("sources.list").write_text(ONE_LINE)
    tmp_path.joinpath("sources.list.d").mkdir()
    tmp_path.joinpath("sources.list.d", "debian.sources").write_text(DEB822)
    own = {"debian": "http://own.example/debian", "debian-security": "https://own.example/debian-security"}

    assert find_mirrors([], tmp_path) == own
    assert find_mirrors(["debian=https://mirror.example/debian/"], tmp_path) == {
        **own,
        "debian": "https://mirror.example/debian",
    }


def test_an_archive_without_a_mirror_has_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no mirror of the archive ubuntu") as caught:
        mirror_of("ubuntu", find_mirrors([], tmp_path))

    assert caught.value.hints == ("name one: --mirror ubuntu=URL",)


def test_a_missing_keyring_has_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="there is no keyring") as caught:
        find_keyring("debian", tmp_path / "none.gpg")

    assert "--keyring" in caught.value.hints[0]
