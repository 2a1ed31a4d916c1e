"""Who shares downloads with whom, and what a plan says about it."""

from __future__ import annotations

from typing import Any

import pytest

from fleethands.facts.upstream import UNREACHABLE, Offer, Upstream
from fleethands.operations.core.download_note import describe_download, is_download
from fleethands.operations.preflight.reachable_sources import check_sources
from fleethands.settings import SettingsError, read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.settings.sites import find_sites
from fleethands.share.chain import MOST_AFTER, MOST_BEFORE, Member, host_rows, neighbor_rows
from tests.hosts import bare

SHARES = {"models": ["m:1"], "share": True, "site": "office"}


def read(**hosts: dict[str, Any]) -> Any:
    return read_fleet(hosts, Lockfile())


def test_the_hosts_of_a_site_know_each_other_in_the_order_of_their_names() -> None:
    fleet = read(c=SHARES, a=SHARES, b=SHARES)

    assert {name: each.neighbors for name, each in fleet.items()} == {
        "a": ("b", "c"),
        "b": ("a", "c"),
        "c": ("b", "a"),
    }
    assert [name for name, each in fleet.items() if each.is_first_of_site] == ["a"]
    assert all(each.fetches_parts for each in fleet.values())


def test_sites_are_apart_and_a_host_without_share_is_in_none() -> None:
    fleet = read(a=SHARES, b={**SHARES, "site": "lab"}, c={**SHARES, "share": False}, d=SHARES)

    assert find_sites(fleet) == {"office": ["a", "d"]}
    assert (fleet["b"].neighbors, fleet["c"].neighbors) == ((), ())


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"share": True}, "because `share` is True"),
        ({"site": "a b"}, "a name such as `office-2`"),
        ({**SHARES, "share_limit": "1 MiB/s"}, "at least `2 MiB/s`"),
        ({**SHARES, "share_address": "gpu-1"}, "an IP address"),
    ],
)
def test_a_mistake_is_named_before_anything_connects(data: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem.replace("(", r"\(")):
        read(a={"models": ["m:1"], **data})


def test_a_plan_names_the_neighbor() -> None:
    fleet = read(a=SHARES, b=SHARES)

    said = [describe_download(each, bare(each), "model", "m:1", "m:1") for each in fleet.values()]

    assert said[0].endswith(" from the internet for the site office, unless b has it")
    assert said[1].endswith(" from a, or from the internet if no host of the site office has it")
    assert all(map(is_download, said))
    assert not is_download("copied from m:2, nothing is downloaded")


@pytest.mark.parametrize(
    ("digest", "alone", "refused"), [("ab" * 32, False, False), (None, False, True), ("ab" * 32, True, True)]
)
def test_a_pinned_model_needs_no_registry_if_there_are_neighbors(
    digest: str | None, alone: bool, refused: bool
) -> None:
    data = {**SHARES, "models": [{"name": "m:1", "digest": digest} if digest else "m:1"]}
    settings = read(a=data, **({} if alone else {"b": data}))["a"]
    offer = Offer("model", "m:1", "https://registry.ollama.ai/v2/m", UNREACHABLE, "nothing answers there")

    found = check_sources(settings, bare(settings).replace(upstream=Upstream((offer,))))

    assert bool(found) == refused


def test_a_host_asks_the_nearest_ones_and_not_all_of_a_large_site() -> None:
    members = [Member(f"h{each}", f"10.0.0.{each}") for each in range(1, 101)]

    rows = neighbor_rows(members, 50).splitlines()

    assert rows[0] == "before 10.0.0.50 11439"
    assert rows[MOST_BEFORE] == "after 10.0.0.52 11439"
    assert len(rows) == MOST_BEFORE + MOST_AFTER
    assert len(host_rows(members, 50).splitlines()) == 99
    assert "10.0.0.51" not in host_rows(members, 50).splitlines()


def test_a_member_has_an_address() -> None:
    with pytest.raises(ValueError, match="gpu"):
        Member("a", "gpu-1")
