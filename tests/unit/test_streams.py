"""What a command says is read whole where it keeps to the limits, and given up where it does not."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from collections import deque
from itertools import count
from typing import Any

import pytest

from fleethands.streams import MAX_BYTES, MAX_LINE_BYTES, MAX_LINES, Lines, TooMuchOutput, _collect


def said(*blocks: bytes, **limits: Any) -> list[str]:
    lines = Lines(**limits)
    return [line for block in blocks for line in lines.feed(block)] + list(lines.rest())


def test_lines_are_the_same_however_they_are_cut() -> None:
    text = "eins\n\nzwei ü\nlast".encode()

    for width in range(1, len(text)):
        assert said(*(text[at : at + width] for at in range(0, len(text), width))) == ["eins", "", "zwei ü", "last"]
    assert said(text + b"\n") == ["eins", "", "zwei ü", "last"]
    assert said() == said(b"") == []


def test_a_byte_that_is_not_utf_8_hides_nothing() -> None:
    assert said(b"\xff\xfe odd\nerror: no room\nhint: make some\n") == [
        "\ufffd\ufffd odd",
        "error: no room",
        "hint: make some",
    ]


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (b"x" * 1000 + b"\n", "it sent more than 8 MiB, and was given up"),
        (b"\n" * 1000, "it sent more than 100000 lines, and was given up"),
        (b"x" * 1000, "it sent a line of more than 1 MiB, and was given up"),
    ],
)
def test_a_flood_is_given_up_in_little_time_and_memory(block: bytes, problem: str) -> None:
    lines, begin = Lines(), time.process_time()
    tracemalloc.start()
    with pytest.raises(TooMuchOutput) as caught:
        deque((line for _ in count() for line in lines.feed(block)), maxlen=0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert str(caught.value) == problem
    assert most < 4 << 20
    assert time.process_time() - begin < 5


def test_what_an_honest_host_says_fits() -> None:
    assert len(said(b"x" * (MAX_LINE_BYTES - 1) + b"\n")) == 1
    assert len(said(*[b"y" * 79 + b"\n"] * min(MAX_LINES, MAX_BYTES // 80))) == MAX_LINES


def test_bytes_that_end_no_line_are_no_sign_of_life() -> None:
    blocks, heard = iter([b"a", b"b", b"\nc\n", b""]), list[list[str]]()

    error = _collect([], "stdout", lambda _: next(blocks), None, str, (lambda _, lines: heard.append(lines),))

    assert (error, heard) == (None, [["ab", "c"]])


# a real process, read as pyinfra reads one of @local
READ = """
import sys
import pyinfra_cli.util  # patches the standard library
from fleethands import streams
streams.use_limited_streams()
from pyinfra.api.output import set_echo
from pyinfra.connectors.util import run_local_process
shown = []
set_echo(lambda message=None, **_: shown.append(message))
try:
    status, output = run_local_process(sys.argv[1], timeout=float(sys.argv[2]), print_output=True, print_prefix="[h] ")
    print(status, output.stdout_lines, output.stderr_lines, len(shown))
except OSError as error:
    print(type(error).__name__, error)
"""


def local(command: str, timeout: float = 30) -> str:
    done = subprocess.run(
        [sys.executable, "-c", READ, command, str(timeout)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_process_is_read_to_its_end() -> None:
    command = r"printf 'a\n\377b\n'; printf 'progress: 5 %%\n'; printf 'error: \377\nhint: x\n' >&2; exit 3"

    assert local(command) == "3 ['a', '\ufffdb'] ['error: \ufffd', 'hint: x'] 5"
    assert local("printf unended") == "0 ['unended'] [] 1"


def test_progress_that_is_no_text_earns_no_room_for_other_lines() -> None:
    lines = Lines(most=1000, uncounted=b"progress: ")

    for _ in range(10):
        assert len(list(lines.feed(b"progress: " + b"\xff" * 300 + b"\n"))) == 1
    with pytest.raises(TooMuchOutput):
        list(lines.feed(b"a" * 600 + b"\n" + b"b" * 600 + b"\n"))


def test_progress_counts_where_it_is_kept() -> None:
    lines = Lines(most=1000)

    with pytest.raises(TooMuchOutput):
        list(lines.feed((b"progress: " + b"x" * 300 + b"\n") * 10))


def test_progress_that_is_said_for_days_is_no_flood() -> None:
    assert local(f"yes 'progress: model a 1/2 bytes' | head -n {2 * MAX_LINES}; echo done").startswith("0 ['done'] []")


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("yes", "TooMuchOutput it sent more than 100000 lines, and was given up"),
        ("cat /dev/zero", "TooMuchOutput it sent a line of more than 1 MiB, and was given up"),
        ("yes >&2", "TooMuchOutput it sent more than 100000 lines, and was given up"),
        ("sleep 60", "TimeoutError"),
        ("while :; do echo .; sleep 0.1; done", "TimeoutError"),
    ],
)
def test_a_process_that_does_not_end_is_given_up(command: str, problem: str) -> None:
    begin = time.monotonic()

    assert local(command, timeout=2) == problem
    assert time.monotonic() - begin < 40
