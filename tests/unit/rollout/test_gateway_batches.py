"""A rollout leaves each gateway a host, and takes hosts out before it changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import pytest

from fleethands.report.model import HostReport, Report
from fleethands.rollout.gateway_batches import keep_serving
from fleethands.rollout.strategy import Batch, Canary, HostQuota, RolloutStrategy
from tests.helpers.fake_fleet import FakeFleet, failed, plan, roll_out

FOUR = {"front": ("a", "b", "c", "d")}
ONE_BY_ONE = RolloutStrategy(batch=HostQuota(Fraction(1)))


def batches(*parts: str) -> list[Batch]:
    return [Batch(f"batch {number} of {len(parts)}", tuple(part.split())) for number, part in enumerate(parts, 1)]


@pytest.mark.parametrize(
    ("gateways", "before", "after"),
    [
        ({}, ["a b front"], ["a b front"]),
        (FOUR, ["a b"], ["a b"]),
        (FOUR, ["a b c d"], ["a b", "c d"]),
        (FOUR, ["a b c d front"], ["a b", "c d", "front"]),
        (FOUR, ["front", "a"], ["a", "front"]),
        (FOUR, ["front", "x"], ["front", "x"]),
        (FOUR, ["a b x c d y"], ["a b x y", "c d"]),
        ({"a": ("a", "b", "c")}, ["a b c"], ["b c", "a"]),
        ({"a": ("a", "b"), "b": ("a", "b")}, ["a b"], ["a", "b"]),
        ({"front": ("a",)}, ["a x"], ["a x"]),
        ({"p": ("a", "b"), "q": ("a", "b")}, ["a", "b", "p", "q"], ["a", "b", "p", "q"]),
        ({"p": ("a", "b"), "q": ("a", "b")}, ["a b p q"], ["a", "b", "p", "q"]),
        ({"a": ("a", "b", "c"), "b": ("a", "b", "c")}, ["c b a"], ["c", "b", "a"]),
        ({"f": ("a", "b"), "g": ("c", "d")}, ["a b c d"], ["a c", "a d", "b"]),
    ],
)
def test_no_batch_has_all_hosts_of_a_gateway(
    gateways: Mapping[str, Sequence[str]], before: list[str], after: list[str]
) -> None:
    found = keep_serving(batches(*before), gateways)

    if gateways.keys() == {"f", "g"}:
        assert sorted(name for each in found for name in each.names) == ["a", "b", "c", "d"]
        assert all(set(behind) - set(each.names) for each in found for behind in gateways.values())
    else:
        assert found == batches(*after)


def test_a_canary_stays_as_it_is() -> None:
    canary = Batch("canary", ("front",), canary=True)

    assert keep_serving([canary, *batches("a b c d")], FOUR) == [canary, *batches("a b", "c d")]


def test_each_host_is_out_while_it_changes() -> None:
    fleet = FakeFleet(["a", "b"], gateways={"front": ("a", "b")})

    roll_out(fleet, plan("a", "b"), ONE_BY_ONE)

    calls = [each for each in fleet.calls if each.split()[0] in {"take", "update", "put"}]
    assert calls == ["take out a", "update a", "put back a", "take out b", "update b", "put back b"]


def test_a_host_that_cannot_be_taken_out_stops_the_rollout() -> None:
    fleet = FakeFleet(["a", "b"], gateways={"front": ("a", "b")}, cannot_drain={"a": "front cannot be reached"})

    report = roll_out(fleet, plan("a", "b"), ONE_BY_ONE)

    assert not [each for each in fleet.calls if each.startswith("update")]
    assert fleet.calls.count("put back a") == 1
    assert {host.status for host in report.hosts.values()} == {"not-run"}
    assert report.hosts["b"].reason == "the rollout stopped before this host: front cannot be reached"


def test_a_host_that_fails_stays_out_and_one_that_is_rolled_back_comes_back() -> None:
    for rolls_back, back in ((False, 0), (True, 1)):
        fleet = FakeFleet(["a"], {"a": failed("it broke")}, gateways={"front": ("a", "b")})

        roll_out(fleet, plan("a"), RolloutStrategy(rolls_back=rolls_back))

        assert fleet.calls.count("put back a") == back


def test_a_host_that_was_not_reached_before_ctrl_c_comes_back() -> None:
    fleet = FakeFleet(["a", "b", "c"], gateways={"front": ("a", "b", "c")}, ctrl_c={"a": 1})

    report = roll_out(fleet, plan("a", "b"))

    assert report.hosts["b"].status == "not-run"
    assert "put back a b" in fleet.calls


def test_hosts_that_are_gone_are_not_counted() -> None:
    gone = HostReport("unreachable", "no route")
    fleet = FakeFleet(["a", "b", "c"], gateways={"front": ("a", "b", "c")})

    roll_out(fleet, plan("a", "b", c=gone))

    assert [each for each in fleet.calls if each.startswith("update")] == ["update a", "update b"]


def test_unchanged_hosts_come_back_that_an_earlier_run_left_out() -> None:
    fleet = FakeFleet(["a", "b"], gateways={"front": ("a", "b")})

    roll_out(fleet, plan("a", b=HostReport("unchanged")))

    assert fleet.calls[1] == "put back b"


def test_an_interrupted_wait_changes_nothing() -> None:
    fleet = FakeFleet(["a"], gateways={"front": ("a", "b")}, ctrl_c={"drain a": 1})

    report = roll_out(fleet, plan("a"))

    assert (report.interrupted, fleet.calls.count("put back a")) == (True, 1)
    assert not [each for each in fleet.calls if each.startswith("update")]


def test_a_host_with_only_a_proof_to_make_is_not_taken_out() -> None:
    proof = Report("apply", plan("a").hosts)
    proof.hosts["a"].changes = [change for change in proof.hosts["a"].changes if change.task == "Proof"]
    fleet = FakeFleet(["a"], gateways={"front": ("a", "b")})

    roll_out(fleet, proof)

    assert "take out a" not in fleet.calls


def test_a_canary_that_fails_leaves_the_others_in() -> None:
    fleet = FakeFleet(["a", "b"], {"a": failed("it broke")}, gateways={"front": ("a", "b")})

    roll_out(fleet, plan("a", "b"), RolloutStrategy(canary=Canary("1")))

    assert "take out b" not in fleet.calls
