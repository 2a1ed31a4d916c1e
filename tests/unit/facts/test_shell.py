"""Functions that every section of the probe uses (facts/shell.sh), in the shells that hosts have."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleethands.facts.framing import decode_word
from tests.answers import probe_parts

SHELLS = [["dash"], ["bash", "--posix"], *([["/bin/busybox", "sh"]] if Path("/bin/busybox").exists() else [])]
VALUES = (
    "/opt/ollama",
    "",
    ":",
    "a b",
    "a\\nb",
    "\\",
    "*",
    "~",
    "a\nb",
    " a",
    "café",
    "\t",
    "\x7f",
    "-n",
    "%s",
    "x" * 70_000,
    "é" * 3000,
)


def said(shell: list[str], call: str, *values: str) -> Iterator[str]:
    program = f"LC_ALL=C; export LC_ALL\n{probe_parts()}\n{call}"
    words = [*shell, "-c", program, "sh", *values]
    yield from subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout.splitlines()


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@pytest.mark.parametrize("function", ["spell", "spell_line"])
def test_a_value_arrives_as_it_was(shell: list[str], function: str) -> None:
    call = f'for each in "$@"; do {function} "$each"; printf "%s\\n" "$word"; done'
    lines = list(said(shell, call, *VALUES))

    assert [decode_word("files", line).decode() for line in lines] == list(VALUES)
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert function == "spell_line" or not any(" " in line for line in lines)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_string_is_found_in_json(shell: list[str]) -> None:
    labels = r'["\"Root\":\"b\"","Root","x,\"Root\": \"b\""]'
    text = rf'{{"ID":"a","Labels":{labels},"Name":"Root","Rooted":"c","Root":"/d*\\","Root":"e"}}'
    names = ("ID", "Root", "Rooted", "Labels", "x", "Name")
    call = 'text=$1; shift; for each in "$@"; do json_string "$text" "$each"; printf "%s\\n" "$value"; done'

    assert list(said(shell, call, text, *names)) == ["a", r"/d*\\", "c", "", "", "Root"]
    assert list(said(shell, call, text.replace('":"', '": "'), *names)) == ["a", r"/d*\\", "c", "", "", "Root"]


def test_a_long_answer_takes_no_time() -> None:
    """dash takes seconds for `${text#*PATTERN}` of that length."""
    text = '{"a":"' + "x" * 60_000 + '","b":"c"}'
    call = 'json_string "$1" b; printf "%s\\n" "$value"; spell_line "$1"; printf "%s\\n" "$word"; times'
    value, word, *times = said(["dash"], call, text)

    assert (value, word) == ("c", f":{text}")
    seconds = [float(part.partition("m")[2].rstrip("s")) for line in times for part in line.split()]
    assert sum(seconds) < 1
