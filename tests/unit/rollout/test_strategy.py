"""In which order hosts are taken, how many at a time, and how many failures end a rollout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleethands.rollout.strategy import (
    Canary,
    HostQuota,
    InvalidOption,
    Order,
    RolloutStrategy,
    check_slowdown,
    parse_duration,
)

TWELVE = [f"lab-{number}" for number in range(1, 13)]


def taken(manner: RolloutStrategy, names: list[str] = TWELVE) -> list[tuple[str, ...]]:
    return [group.names for group in manner.batches(names, TWELVE)]


@pytest.mark.parametrize(
    ("text", "count", "share"),
    [
        ("3", 12, 3),
        ("25%", 12, 3),
        ("25%", 10, 2),
        ("33%", 3, 1),
        ("1%", 12, 1),
        ("100%", 7, 7),
        ("12.5%", 16, 2),
        ("29%", 100, 29),
        ("50", 12, 50),
    ],
)
def test_a_share_is_rounded_down_and_never_none(text: str, count: int, share: int) -> None:
    assert HostQuota.parse("--batch", text).count_of(count) == share


@pytest.mark.parametrize("text", ["", "0", "-1", "0%", "101%", "%", "25 %", "1.5", "half", "٣", "1e2", "9999999"])
def test_another_word_for_a_share_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidOption, match="expected a number of hosts from 1 on, or a percentage") as caught:
        HostQuota.parse("--batch", text)
    assert caught.value.hints == ("for three hosts: `--batch 3`; for a quarter of them: `--batch 25%`",)


def test_hosts_are_taken_as_people_count_them() -> None:
    assert Order().sort(["lab-10", "lab-2", "alpha", "lab-2b"]) == ["alpha", "lab-2", "lab-2b", "lab-10"]


def test_the_same_seed_shuffles_the_same_way_whatever_came_in() -> None:
    order = Order.parse("random:7")
    assert order.sort(TWELVE) == Order.parse("random:7").sort(TWELVE[::-1]) != Order.parse("random:8").sort(TWELVE)
    assert str(order) == "random:7"
    assert Order.parse("random").seed is not None
    assert Order.parse(str(Order.parse("random"))).seed is not None


@pytest.mark.parametrize("text", ["", "name", "random:", "random:x", "sorted:1", "random:-1"])
def test_another_order_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption, match="expected `sorted`, `random` or `random:SEED`"):
        Order.parse(text)


def test_a_canary_and_quarters_of_twelve() -> None:
    manner = RolloutStrategy(canary=Canary("1"), batch=HostQuota.parse("--batch", "25%"))
    groups = manner.batches(TWELVE, TWELVE)
    assert [group.names for group in groups] == [
        ("lab-1",),
        ("lab-2", "lab-3", "lab-4"),
        ("lab-5", "lab-6", "lab-7"),
        ("lab-8", "lab-9", "lab-10"),
        ("lab-11", "lab-12"),
    ]
    assert [group.canary for group in groups] == [True, False, False, False, False]
    assert groups[1].label == "batch 1 of 4"


def test_without_a_word_all_go_at_once() -> None:
    assert taken(RolloutStrategy()) == [tuple(TWELVE)]
    assert taken(RolloutStrategy(), []) == []


def test_a_canary_by_name_goes_first_and_one_with_nothing_to_do_is_passed_over() -> None:
    manner = RolloutStrategy(canary=Canary("lab-10"))
    assert taken(manner)[0] == ("lab-10",)
    assert taken(manner, ["lab-1", "lab-2"]) == [("lab-1", "lab-2")]


@pytest.mark.parametrize(("word", "elsewhere"), [("lab-2", True), ("lab-1", False), ("gpu-1", False), ("2", False)])
def test_a_canary_of_another_part_of_the_fleet(word: str, elsewhere: bool) -> None:
    assert Canary(word).is_in_another_part(["lab-1", "lab-3"], TWELVE) is elsewhere


def test_a_canary_that_no_host_is_called_names_the_nearest() -> None:
    with pytest.raises(InvalidOption) as caught:
        Canary("lab-2O").select(TWELVE, TWELVE)
    assert caught.value.hints == ("nearest is `--canary lab-2`",)


@pytest.mark.parametrize("word", ["", "0", "000"])
def test_a_canary_of_no_host_is_refused(word: str) -> None:
    with pytest.raises(
        InvalidOption, match="expected a number of hosts from 1 on, or the name of one of them"
    ) as caught:
        Canary(word)
    assert caught.value.hints == ("for one host: `--canary 1`; for no canary, leave it out",)


@pytest.mark.parametrize(
    ("text", "failed", "over"),
    [("0", 1, True), ("1", 1, True), ("2", 1, False), ("2", 2, True), ("25%", 2, False), ("25%", 3, True)],
)
def test_so_many_failures_of_twelve_end_it(text: str, failed: int, over: bool) -> None:
    assert (
        RolloutStrategy(failure_limit=HostQuota.parse("--max-fail", text, least=0)).has_reached_limit(failed, 12)
        is over
    )


@given(
    names=st.lists(st.text("abc-0123456789", min_size=1, max_size=6), unique=True, max_size=40),
    canary=st.none() | st.integers(1, 50).map(str),
    batch=st.none() | st.integers(1, 50).map(str) | st.integers(1, 100).map(lambda percent: f"{percent}%"),
    seed=st.none() | st.integers(0, 9),
)
def test_every_host_is_taken_once(names: list[str], canary: str | None, batch: str | None, seed: int | None) -> None:
    manner = RolloutStrategy(
        Order(seed), Canary(canary) if canary else None, HostQuota.parse("--batch", batch) if batch else None
    )
    groups = manner.batches(names, names)
    assert sorted(name for group in groups for name in group.names) == sorted(names)
    assert all(group.names for group in groups)


@pytest.mark.parametrize(("text", "length"), [("90", 90), ("90s", 90), ("20m", 1200), ("2h", 7200)])
def test_a_duration_in_seconds(text: str, length: float) -> None:
    assert parse_duration("--host-timeout", text) == length


@pytest.mark.parametrize("text", ["", "0", "0m", "-1", "1.5h", "1d", "forever"])
def test_another_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption, match="expected a duration"):
        parse_duration("--host-timeout", text)


@pytest.mark.parametrize("limit", ["", "20", "100%", "-1%", "a fifth", "0x5%", "20 %"])
def test_a_limit_for_the_speed_is_a_percentage(limit: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        check_slowdown(limit, "changed")

    expected = "expected a percentage from `0%` to below `100%`"
    assert str(caught.value) == f"`--max-slowdown {limit}`: {expected}, got `{limit}`"
    assert caught.value.hints == ("for a fifth: `--max-slowdown 20%`",)


@pytest.mark.parametrize("limit", [None, "0%", "99.9%"])
def test_a_limit_for_the_speed_may_have_a_fraction(limit: str | None) -> None:
    check_slowdown(limit, "changed")


def test_a_limit_for_the_speed_needs_a_proof() -> None:
    check_slowdown("20%", "always")
    check_slowdown(None, "never")

    with pytest.raises(InvalidOption, match="`--verify never` makes none"):
        check_slowdown("20%", "never")
