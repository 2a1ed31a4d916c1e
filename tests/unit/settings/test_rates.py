"""Rates as people write them."""

from __future__ import annotations

import pytest

from fleethands.settings import SettingsError
from tests.hosts import declared


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("8 MiB/s", 8 << 20),
        ("100 Mbit/s", 12_500_000),
        ("2.5MB/s", 2_500_000),
        ("1 Gbit/s", 125_000_000),
        (16_384, 16_384),
        ("1024 GiB/s", 1 << 40),
    ],
)
def test_bytes_a_second(text: str | int, rate: int) -> None:
    settings = declared(download_limit=text)

    assert (settings.download_limit, settings.fetches_parts) == (rate, True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("8m", "expected `8 MiB/s`"),
        ("100 mbps", "expected `100 Mbit/s`"),
        ("8 MiB", "expected `8 MiB/s`"),
        ("fast", "expected a rate such as `8 MiB/s` or `100 Mbit/s`"),
        ("-8 MiB/s", "expected a rate such as"),
        (True, "expected a rate such as"),
        (8.5, "expected a rate such as"),
        ("1 kB/s", "expected at least `16 KiB/s`"),
        (0, "expected at least `16 KiB/s`"),
        ("9999999 GiB/s", "expected at most `1024 GiB/s`"),
        ("٨ MiB/s", "expected a rate such as"),
    ],
)
def test_other_rates_are_refused_with_the_right_form(text: object, problem: str) -> None:
    with pytest.raises(SettingsError, match="download_limit") as caught:
        declared(download_limit=text)

    assert problem in str(caught.value)


def test_there_is_no_limit_unless_one_is_declared() -> None:
    assert not declared().fetches_parts
