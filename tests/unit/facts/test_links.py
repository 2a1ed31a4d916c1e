"""Targets of symlinks while another account changes them (facts/files.sh), in the shells that hosts have."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fleethands.facts.files import file_parser
from tests.answers import probe_parts
from tests.unit.facts.test_shell import SHELLS

NAMES = ("first", "foreign", "second", "third")


# the program is the real one; the commands around it are what another account does at that moment
RACE = """
readlink() {{
  {before}
  env readlink "$@" && status=0 || status=$?
  {after}
  return "$status"
}}"""
REPLACED = "rm -f foreign; echo x >foreign"


def targets(shell: list[str], place: Path, foreign: str, before: str = ":", after: str = ":") -> dict[str, str]:
    """The target that the probe reads of each symlink."""
    paths = [str(place / name) for name in NAMES]
    for name, path in zip(NAMES, paths, strict=True):
        os.symlink(foreign if name == "foreign" else f"to {name}", path)
    race = RACE.format(before=before, after=after)
    program = f"home=/ files=$1 LC_ALL=C\n{probe_parts('files')}\n{race}\nread_files"
    words = [*shell, "-c", program, "sh", "\n".join(paths)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True, cwd=place)
    return {name: file.target for name, file in file_parser(NAMES)(done.stdout.splitlines()).items()}


OWN = {"first": "to first", "second": "to second", "third": "to third"}


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@pytest.mark.parametrize("foreign", ["theirs", "theirs\n/evil", "\n", "x\n", "second", "é", " "])
def test_a_target_arrives_as_it_is(foreign: str, shell: list[str], tmp_path: Path) -> None:
    assert targets(shell, tmp_path, foreign) == {**OWN, "foreign": foreign}


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@pytest.mark.parametrize("change", [REPLACED, "rm -f foreign"])
@pytest.mark.parametrize("foreign", ["theirs", "theirs\n/evil", "second"])
def test_a_symlink_that_is_gone_shifts_no_target(foreign: str, change: str, shell: list[str], tmp_path: Path) -> None:
    found = targets(shell, tmp_path, foreign, after=change)

    assert {name: found[name] for name in OWN} == OWN


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@pytest.mark.parametrize("foreign", ["theirs", "theirs\n/evil", "theirs\n/evil\n/evil"])
def test_as_many_lines_as_symlinks_are_not_taken_for_their_targets(
    foreign: str, shell: list[str], tmp_path: Path
) -> None:
    found = targets(shell, tmp_path, foreign, before="rm -f third")

    assert (found["first"], found["second"]) == ("to first", "to second")
