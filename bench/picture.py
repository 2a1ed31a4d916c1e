"""The picture of docs/performance.md: seconds of each program, as bars. It is SVG text, and needs no library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from .side_by_side import Timing

COLORS = {"bare paramiko": "#9aa0a6", "plain pyinfra": "#e8a33d", "Ansible": "#c94f4f", "fleethands": "#2f7d5b"}
BAR, GAP, NAMES, WIDTH, ROOM = 14, 16, 150, 520, 60  # pixels


def render_picture(timings: Sequence[Timing]) -> str:
    """An SVG document: a part for each round trip, a group for each case, a bar for each program."""
    longest = max(timing.seconds for timing in timings)
    rows, height = list[str](), 26
    for round_trip in dict.fromkeys(timing.round_trip for timing in timings):
        rows.append(_text(8, height + 12, f"{round_trip * 1000:.0f} ms round trip", "bold"))
        height += 24
        for case in dict.fromkeys(timing.case for timing in timings):
            group = [each for each in timings if (each.round_trip, each.case) == (round_trip, case)]
            rows += [_text(8, height + BAR - 3, case), *_bars(group, height, longest)]
            height += BAR * len(group) + GAP
    legend = [
        f'<rect x="{8 + 130 * place}" y="6" width="10" height="10" fill="{color}"/>' + _text(24 + 130 * place, 15, name)
        for place, (name, color) in enumerate(COLORS.items())
    ]
    size = f'width="{NAMES + WIDTH + ROOM}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
    title = "<title>Seconds of four programs for four things to do, at three round trips</title>"
    return "\n".join([head, title, '<rect width="100%" height="100%" fill="#fff"/>', *legend, *rows, "</svg>", ""])


def _bars(group: Sequence[Timing], top: int, longest: float) -> Iterator[str]:
    for place, each in enumerate(group):
        width, above = max(1.0, each.seconds / longest * WIDTH), top + BAR * place
        color = COLORS[each.program]
        yield f'<rect x="{NAMES}" y="{above}" width="{width:.1f}" height="{BAR - 2}" fill="{color}"/>'
        yield _text(NAMES + width + 4, above + BAR - 4, f"{each.seconds:.1f} s")


def _text(left: float, base: float, text: str, weight: str = "normal") -> str:
    return f'<text x="{left:.1f}" y="{base}" font-weight="{weight}" fill="#222">{escape(text)}</text>'
