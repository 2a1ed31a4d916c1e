"""Every hint of a mistake on the command line works when it is typed: that mistake is gone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from fleethands.report.formats import ReportFiles
from fleethands.report.model import HostReport, Report
from tests.helpers.command_line import fleethands

CODE = re.compile(r"`([^`]+)`")
CORRECTION = re.compile(r"Did you mean '(?P<meant>[^']+)'|it is `(?P<renamed>[^`]+)` now")
FLEET = """\
gpu = [("gpu-1.invalid", {"models": ["m"]})]
cpu = [("cpu-1.invalid", {"models": ["m"]})]
"""

# each with all its words, so that a hint for one option changes that option alone
MISTAKES = [
    ["plan", "fleet.py", "--jsn"],
    ["plan", "feet.py"],
    ["plan", "inventory/prd.py"],
    ["plan", "fleet.py", "--hosts", "gpu-9"],
    ["plan", "fleet.py", "--exclude", "gpu-9"],
    ["apply", "fleet.py"],
    ["apply", "fleet.py", "--yes", "--batch", "0"],
    ["apply", "fleet.py", "--yes", "--max-fail", "x"],
    ["apply", "fleet.py", "--yes", "--order", "up"],
    ["apply", "fleet.py", "--yes", "--canary", "0"],
    ["apply", "fleet.py", "--yes", "--canary", "gpu-1"],
    ["apply", "fleet.py", "--yes", "--host-timeout", "soon"],
    ["apply", "fleet.py", "--yes", "--command-timeout", "soon"],
    ["apply", "fleet.py", "--yes", "--retry-failed", "nowhere"],
    ["plam", "fleet.py"],
    ["apply", "root@gpu-1.invalid", "--yes"],
    ["tunnel", "fleet.py"],
    ["lock", "acquire", "fleet.py", "--reason", " "],
    ["pin", "fleet.py", "--only", "codelama"],
    ["trust", "fleet.py"],
    ["init", "laid"],
    ["report", "show", "nowhere"],
    ["authority", "create", "authority.pem", "--name", ""],
    ["authority", "create", "fleet.py"],
    ["authority", "create", "laid"],
    ["authority", "show", "fleet.py"],
    ["authority", "show", "nowhere.pem"],
    ["destroy", "fleet.py", "--yes"],
    ["rollback", "fleet.py", "--to", "before", "--yes"],
    ["verify", "fleet.py", "--deep"],
    ["verify", "fleet.py", "--blobs"],
]
UNKNOWN = {"--jsn", "plam", "feet.py", "inventory/prd.py", "destroy", "--deep", "--blobs"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "laid").mkdir()
    (tmp_path / "laid/deploy.py").write_text("mine")
    for name in ("fleet.py", "inventory/prod.py"):
        (tmp_path / name).write_text(FLEET)
    ReportFiles(tmp_path / "out").write(Report("apply", {"gpu-1.invalid": HostReport("failed", "no")}))
    return tmp_path


def corrections(error: str) -> list[str]:
    """The hints below an error, and the right words that its message names."""
    message, *hints = error.strip().split("hint: ")
    named = [f"`{found['meant'] or found['renamed']}`" for found in CORRECTION.finditer(message)]
    return [*named, *(hint.strip() for hint in hints)]


def typed(words: Sequence[str], hint: str) -> list[list[str]]:
    """The command lines that a reader types after a hint."""
    if hint.startswith(("its hosts: ", "its groups: ")):
        name = hint.removesuffix(" …").partition(": ")[2].split(", ")[0]
        return [_with(words, next(word for word in ("--hosts", "--exclude") if word in words), name)]
    if "--report DIR" in hint:
        return [[*words[:-1], "out"]]
    return [_typed_code(words, code) for code in CODE.findall(hint) or [hint.partition(": ")[2]]]


def _typed_code(words: Sequence[str], code: str) -> list[str]:
    first, *rest = shlex.split(code)
    if first == "fleethands":
        return rest
    if first.startswith("--"):
        return _with(words, first, *rest)
    return [first if word == _wrong(words) else word for word in words]


def _with(words: Sequence[str], option: str, *value: str) -> list[str]:
    """The same words with this option: in the place of its wrong value, or of an option that does not exist."""
    if option in words:
        at = words.index(option)
        return [*words[:at], option, *value, *words[at + 1 + len(value) :]]
    return [*(word for word in words if word not in UNKNOWN), option, *value]


def _wrong(words: Sequence[str]) -> str:
    """The command or the target that does not exist; or the value of the last option."""
    return next((word for word in words if word in UNKNOWN), words[-1])


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_hint_that_is_typed_ends_the_mistake(place: Path, words: list[str]) -> None:
    wrong = fleethands(*words, cwd=place)
    message = wrong.stderr.partition("\n\nhint: ")[0].strip().splitlines()[-1]

    lines = [line for hint in corrections(wrong.stderr) for line in typed(words, hint)]

    assert wrong.returncode in {1, 64}
    assert lines, wrong.stderr
    for line in lines:
        again = fleethands(*line, cwd=place)
        assert again.returncode != 64, (line, again.stderr)
        assert message not in again.stderr, line
