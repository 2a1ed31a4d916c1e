"""docs/tutorial.md: a lab test types its commands, and these tests check how the page is read and written."""

from __future__ import annotations

import shlex

from fleethands.cli.interface import cli
from tests.lab.stranger import Typed
from tests.lab.tutorial import PAGE, comparable, lines_of, read_steps, shorten, write_steps

TEXT = """\
Words before.

```console
$ uv tool install x
Resolved 1
…
Installed
$ cd x
```

Words between.

```console
$ fleethands plan
old
```
"""


def test_the_first_answer_takes_at_most_six_commands() -> None:
    commands = [step.command for step in read_steps(PAGE.read_text())]
    needed = [words for words in commands if words.startswith(("uv ", "fleethands "))]
    first = needed.index("fleethands tunnel")

    assert len(set(needed[: first + 1])) <= 6
    for words in needed:
        program, command, *_ = shlex.split(words)
        assert program == "uv" or command in cli.commands


def test_every_command_of_the_page_shows_what_it_prints() -> None:
    silent = ("cd ", "sed ")
    steps = read_steps(PAGE.read_text())

    assert [step.command for step in steps if not step.shown and not step.command.startswith(silent)] == []


def test_a_new_run_replaces_outputs_and_leaves_out_the_same_lines() -> None:
    typed = [
        Typed("uv tool install x", 0, "Resolved 2\na\nb\nc\nInstalled 1\n"),
        Typed("cd x", 0, ""),
        Typed("fleethands plan", 2, "new\n\nlines\n"),
    ]

    page = write_steps(TEXT, typed)

    assert "Resolved 2\n…\nInstalled 1\n$ cd x\n```\n\nWords between." in page
    assert page.endswith("```console\n$ fleethands plan\nnew\n\nlines\n```\n")
    assert page.startswith("Words before.\n\n```console\n$ uv tool install x\n")
    assert write_steps(page, typed) == page


def test_what_differs_from_run_to_run_is_not_compared() -> None:
    one = lines_of(
        "gpu-box: Docker | Start (0:03)\ngpu-box: codellama:7b: 3 MB of 9 MB, 1 MB/s, 6 s left\nin 61.2 s\n\n"
    )
    other = lines_of("gpu-box: Docker | Start (1:13)\nin 7 s\n")

    assert comparable(one) == comparable(other)
    assert comparable(["gpu-box  unchanged"]) != comparable(["gpu-box  changed"])
    assert comparable(["SHA256:" + "a" * 43]) == ["SHA256:KEY"]


def test_a_line_that_the_page_does_not_leave_out_is_compared() -> None:
    assert shorten(["a", "b", "c"], ["a", "…"]) == ["a", "…"]
    assert shorten(["a", "b"], ["a"]) == ["a", "b"]
    assert shorten(["a", "b", "in 3 s", "c", "d", "e", "f"], ["a", "…", "in 1 s", "d", "…", "f"]) == [
        *("a", "…", "in 3 s", "c", "d", "…", "f")
    ]
