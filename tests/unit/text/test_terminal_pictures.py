"""Pictures of terminals show what a terminal shows, and need nothing from the network."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.helpers.terminal import Screen, frames, svg

LIVE = """
import time
from rich.console import Console
from rich.live import Live
console = Console()
with Live("one\\ntwo", console=console, transient=True, auto_refresh=False) as live:
    live.update("[red]three[/]\\nfour", refresh=True)
    time.sleep(0.2)
    console.print("a line above")
console.print(f"the end of {console.width} columns")
"""


def test_a_live_display_is_replaced_line_by_line(tmp_path: Path) -> None:
    seen = [*frames([sys.executable, "-c", LIVE], tmp_path, 60)]

    assert any("three" in frame and "four" in frame and "one" not in frame for frame in seen), seen
    assert seen[-1] == "a line above\nthe end of \x1b[1;36m60\x1b[0m columns"


def test_a_picture_fetches_nothing() -> None:
    picture = svg("ls", "\x1b[31mred\x1b[0m & plain", "name", 80)

    assert "red" in picture
    assert "@font-face" not in picture
    assert "url(" not in picture.replace("url(#", "")


def test_cursor_movement_is_followed() -> None:
    screen = Screen()
    screen.feed("kept\none\ntwo\n\r\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2Kthree")

    assert screen.text == "kept\nthree"
