"""Command lines of hints: whole, for the hosts that are meant, and able to be typed."""

from __future__ import annotations

import shlex
from fnmatch import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleethands.report.rerun_hints import completing, only, reached

WORDS = "fleet.py --hosts 'gpu-*' --exclude gpu-9 --data models_prune=true --shard 1/4 --models"
name = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


def test_one_host_takes_the_place_of_all_that_were_chosen() -> None:
    assert only(WORDS, "gpu-7") == "fleet.py --data models_prune=true --models --hosts gpu-7"


def test_a_host_is_reached_as_before_and_nothing_is_declared_there() -> None:
    words = f"{WORDS} --data ssh_user=me --data _sudo=true"

    assert reached(words, "gpu-7") == "fleet.py --data ssh_user=me --data _sudo=true --hosts gpu-7"


@given(name)
def test_a_name_is_one_word_and_matches_no_other(name: str) -> None:
    *_, pattern = shlex.split(reached(WORDS, name))

    assert fnmatch(name, pattern)
    assert not fnmatch(f"{name}x", pattern)


@pytest.mark.parametrize("name", ["root@[::1]", "*", "gpu-?", "$(reboot)", "a b"])
def test_what_a_shell_or_a_pattern_would_act_on_is_only_a_name(name: str) -> None:
    *_, pattern = shlex.split(only("fleet.py", name))

    assert fnmatch(name, pattern)
    assert not fnmatch("gpu-1", pattern)


@pytest.mark.parametrize(
    ("command", "words", "hints"),
    [
        ("", "", []),
        ("apply", "fleet.py --canary 1", ["the next run completes it: `fleethands apply fleet.py --canary 1`"]),
        ("uninstall", "fleet.py --models", ["the next run completes it: `fleethands uninstall fleet.py --models`"]),
        (
            "rollback",
            "fleet.py --to current",
            ["the next run completes it: `fleethands rollback fleet.py --to current --hosts gpu-7`"],
        ),
        (
            "rollback",
            "fleet.py --shard 1/4",
            [
                "to restore the current record: `fleethands rollback fleet.py --hosts gpu-7 --to current`",
                "to restore the previous record: `fleethands rollback fleet.py --hosts gpu-7 --to previous`",
            ],
        ),
    ],
)
def test_what_was_begun_is_completed_by_the_command_that_began_it(command: str, words: str, hints: list[str]) -> None:
    assert completing(command, words, "gpu-7") == hints
