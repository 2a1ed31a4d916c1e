"""The table and the picture of four programs at three distances."""

from __future__ import annotations

from xml.etree import ElementTree

from bench import page
from bench.guide_programs import CASES
from bench.picture import COLORS, render_picture
from bench.side_by_side import PROMISED, ROUND_TRIPS, Timing, wrong

TIMINGS = [
    Timing(program, case.name, trip, 1.5 + trip + place, 7)
    for trip in ROUND_TRIPS
    for place, program in enumerate(COLORS)
    for case in CASES
]


def test_the_table_has_a_row_for_each_case_and_program() -> None:
    head, line, *rows, empty, picture = page._compared(TIMINGS)

    assert len(rows) == len(CASES) * len(COLORS)
    assert {row.count("|") for row in (head, line, *rows)} == {7}
    assert rows[0] == "| first apply | bare paramiko | 1.5 | 1.6 | 1.9 | 7 |"
    assert rows[-1] == "| one added model | fleethands | 4.5 | 4.6 | 4.9 | 7 |"
    assert (empty, picture.endswith("(performance.svg)")) == ("", True)


def test_seconds_beyond_a_promise_are_named() -> None:
    kept = [Timing("fleethands", case, trip, most, 5) for (case, trip), most in PROMISED.items()]
    slow = [Timing("fleethands", "first apply", 0.1, 9.2, 5), Timing("Ansible", "first apply", 0.1, 60.0, 17)]

    assert wrong(kept) == []
    assert wrong([*kept, *slow]) == ["first apply at 100 ms: 9.2 s, expected at most 9"]


def test_the_picture_has_a_bar_for_each_run() -> None:
    root = ElementTree.fromstring(render_picture(TIMINGS))  # noqa: S314  our own text
    bars = [each for each in root if each.tag.endswith("rect") and float(each.get("x", "0")) > 100]

    widths = [float(each.get("width", "0")) for each in bars if each.get("height") == "12"]
    assert len(widths) == len(TIMINGS)
    assert all(0 < width <= float(root.get("width", "0")) for width in widths)
