"""A stranger follows docs/tutorial.md on a fresh machine, from the wheel to an answered prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import observe
from tests.lab.lab import Lab
from tests.lab.stranger import Stranger
from tests.lab.tutorial import PAGE, comparable, follow, lines_of, read_steps, shorten, stranger

SETTINGS = "curl -fsS --max-time 20 http://localhost:{port}/api/settings"


def page_of_openhands(who: Stranger, shown: str) -> str:
    """What OpenHands answers at the address that a tunnel shows."""
    port = shown.rpartition("localhost:")[2].split()[0]
    return who.enter(SETTINGS.format(port=port)).shown


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_a_stranger_gets_an_answer_and_the_page_shows_what_the_terminal_shows(lab: Lab, tmp_path: Path) -> None:
    steps = read_steps(PAGE.read_text())
    pages: list[str] = []
    with stranger(lab, tmp_path) as who:
        typed = follow(who, steps, lambda done: pages.append(page_of_openhands(who, done.shown)))
        assert observe.proven(lab["lab-1"])

    assert '"openai/codellama:7b"' in pages[0]
    for step, done in zip(steps, typed, strict=True):
        real = comparable(shorten(lines_of(done.shown), step.shown))
        assert comparable(step.shown) == real, f"`{step.command}` prints something else: run `make tutorial`"
