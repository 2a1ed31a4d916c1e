"""Durations and sizes as a user reads them."""

from __future__ import annotations

import pytest

from fleethands.text.format import format_duration, format_size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "250 ms"),
        (0, "0 s"),
        (4.25, "4.2 s"),
        (45, "45 s"),
        (59.97, "60.0 s"),
        (90, "1 min 30 s"),
        (1200, "20 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_duration_has_its_largest_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (512, "512 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (8 << 20, "8 MiB"), (15 << 30, "15 GiB")],
)
def test_a_size_has_its_largest_unit(size: int, text: str) -> None:
    assert format_size(size) == text
