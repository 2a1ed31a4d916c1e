"""Dependencies: all of them, by the rules of dpkg."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleethands.debian.errors import ArchiveError
from fleethands.debian.packages import Need, PackageSet, parse_alternatives
from fleethands.debian.resolve import resolve_packages
from fleethands.debian.versions import compare_versions
from tests.unit.debian.conftest import SUITE, stanza

ORDERED = ["1.0~~", "1.0~rc1", "1.0", "1.0-1~bpo1", "1.0-1", "1.0-1+deb13u1", "1.0a", "1.0+b", "1.2", "1.10", "1:0.1"]


def packages(*stanzas: str) -> PackageSet:
    found = PackageSet()
    found.add(stanzas, "http://mirror.example/debian")
    return found


def resolved(found: PackageSet, *names: str) -> list[str]:
    return [each.name for each in resolve_packages(SUITE, names, found)]


def test_versions_are_ordered_as_dpkg_orders_them() -> None:
    for place, one in enumerate(ORDERED):
        for other, version in enumerate(ORDERED):
            assert (compare_versions(one, version) > 0) == (place > other), (one, version)
            assert (compare_versions(one, version) == 0) == (place == other), (one, version)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="no dpkg to compare with")
@settings(max_examples=10, deadline=None)
@given(*[st.from_regex(r"\A([1-3]:)?[0-9][0-9a-z.+~]{0,8}(-[0-9a-z+~.]{1,4})?\Z")] * 2)
def test_dpkg_agrees(one: str, other: str) -> None:
    order = compare_versions(one, other)
    word = "lt" if order < 0 else "gt" if order > 0 else "eq"

    assert subprocess.run(["dpkg", "--compare-versions", one, word, other], check=False).returncode == 0


def test_all_dependencies_are_found_once() -> None:
    found = packages(stanza("a", needs="b (>= 1.0), c"), stanza("b", needs="c"), stanza("c", needs="a"), stanza("d"))

    assert resolved(found, "a") == ["a", "b", "c"]


def test_the_first_alternative_that_will_do_is_used() -> None:
    found = packages(stanza("a", needs="new (>= 2) | old | absent"), stanza("new", "1.9"), stanza("old"))

    assert resolved(found, "a") == ["a", "old"]


def test_a_virtual_package_is_provided() -> None:
    found = packages(
        stanza("a", needs="mta, api (>= 3)"),
        stanza("postfix", provides="mta"),
        stanza("lib2", provides="api (= 2)"),
        stanza("lib3", provides="other, api (= 3)"),
    )

    assert resolved(found, "a") == ["a", "lib3", "postfix"]


def test_a_package_that_the_archive_lacks_is_named() -> None:
    with pytest.raises(ArchiveError, match="the archive of debian-13 has no c or d, and b depends on it"):
        resolved(packages(stanza("a", needs="b"), stanza("b", needs="c | d (>= 2)"), stanza("d", "1")), "a")
    with pytest.raises(ArchiveError, match="has no nftables, and it is needed"):
        resolved(packages(), "nftables")


def test_forms_of_a_dependency() -> None:
    assert parse_alternatives("libc6 (>= 2.38)") == (Need("libc6", ">=", "2.38"),)
    assert parse_alternatives(" python3:any | perl [amd64] ") == (Need("python3"), Need("perl"))
    assert parse_alternatives("$(reboot)") == ()


@pytest.mark.parametrize("name", ["../../etc/passwd", "pool/../../x.deb", "http://other/pool/x.deb", "pool/x.sh"])
def test_a_file_outside_of_the_pool_is_refused(name: str, tmp_path: Path) -> None:
    found = packages(stanza("a").replace("pool/main/a_1.0_amd64.deb", name))

    with pytest.raises(ValueError, match="not in the pool"):
        _ = found.find(Need("a")).url  # type: ignore[union-attr]
