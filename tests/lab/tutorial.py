"""
docs/tutorial.md, typed command by command. `make tutorial` writes what the terminal showed into the page.

A block that begins with "```console" is a terminal: lines after `$ ` are commands, and the others are what they print.
A line `…` is in the place of lines that the page leaves out.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from tests.lab import fleet
from tests.lab.host import BootFailed
from tests.lab.lab import Lab
from tests.lab.prepare import ready, unfit
from tests.lab.shell import CommandFailed
from tests.lab.stranger import HOME, Stranger, Typed, arrive, build_wheel

PAGE = fleet.ROOT / "docs/tutorial.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = "$ "
REST = "…"
TUNNEL = "fleethands tunnel"
# the lab has this release of Ollama, and not the newest one; the page says so
LAB_SETTINGS = 'ollama_version = "0.24.0"\n'
EXIT = {"fleethands plan": 2}  # changes are pending
# what differs from run to run → what is compared
VARIES = (
    (r"\b\d+(\.\d+)? (s|ms|min)\b", "N s"),
    (r"\(\d+:\d\d\)", "(0:00)"),
    (r"\b\d+(\.\d+)?(ms|s)\b", "Ns"),
    (r"SHA256:[\w+/]{43}", "SHA256:KEY"),
    (r"\b(sha256:)?[0-9a-f]{12,64}\b", "DIGEST"),
    (r"\b\d+(\.\d+)? (bytes|KB|MB|GB|KiB|MiB|GiB)\b", "N MB"),
    (r"localhost:\d+", "localhost:PORT"),
    (r'"response":"[^"]*"', '"response":"ANSWER"'),
)
PULL = re.compile(r"^[\w.-]+: .*: .*/s(, \d+ s left)?$")  # one every ten seconds, so as many as a download takes


@dataclass(frozen=True)
class Step:
    """A command of the page, and the lines that the page shows after it."""

    command: str
    shown: tuple[str, ...]


def read_steps(text: str) -> list[Step]:
    """The commands of a page, in order."""
    steps: list[Step] = []
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            steps.append(Step(command, tuple(shown)))
    return steps


def write_steps(text: str, typed: Sequence[Typed]) -> str:
    """The page with what the terminal showed in this run."""
    remaining, old = iter(typed), iter(read_steps(text))

    def block(found: re.Match[str]) -> str:
        count = len(re.findall(r"^\$ ", found[1], flags=re.MULTILINE))
        lines = []
        for _ in range(count):
            new = next(remaining)
            lines += [COMMAND + new.command, *shorten(lines_of(new.shown), next(old).shown)]
        return "```console\n" + "".join(f"{line}\n" for line in lines) + "```"

    return BLOCK.sub(block, text)


def lines_of(shown: str) -> list[str]:
    """Lines of a terminal, without blank ones at the end and without the progress of downloads."""
    lines = [line.rstrip() for line in shown.rstrip().split("\n")] if shown.strip() else []
    return [line for line in lines if not PULL.fullmatch(line)]


def shorten(lines: Sequence[str], like: Sequence[str]) -> list[str]:
    """
    Leave out the lines that an earlier version of the page leaves out, by lines `…`.

    The first and the last part keep their number of lines. A part between two `…` keeps its first and its last line.
    """
    parts = _split(like)
    if len(parts) == 1:
        return [*lines]
    first, *middle, last = parts
    kept, rest = [*lines[: len(first)], REST], lines[len(first) : len(lines) - len(last)]
    for part in middle:
        start, end = _find(rest, part[0]), _find(rest, part[-1])
        kept += [*rest[start : end + 1], REST]
        rest = rest[end + 1 :]
    return [*kept, *lines[len(lines) - len(last) :]]


def _split(lines: Sequence[str]) -> list[list[str]]:
    """The parts between lines `…`."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line == REST:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _find(lines: Sequence[str], wanted: str) -> int:
    """The place of a line, whatever differs from run to run. Raises AssertionError if it is missing."""
    places = [number for number, line in enumerate(comparable(lines)) if [line] == comparable([wanted])]
    assert places, f"no line like this was printed: {wanted}"
    return places[0]


def comparable(lines: Sequence[str]) -> list[str]:
    """Lines without what differs from run to run."""
    return [_replace_all(line) for line in lines]


def _replace_all(line: str) -> str:
    for pattern, replacement in VARIES:
        line = re.sub(pattern, replacement, line)
    return re.sub(r"\s{2,}", "  ", line)  # columns are as wide as what they contain


@contextmanager
def stranger(lab: Lab, place: Path) -> Iterator[Stranger]:
    """The person of the tutorial on lab-2, whose host lab-1 is as Debian left it."""
    lab.internet.clear_faults()
    for name in ("lab-1", "lab-2"):
        lab[name].restore("clean")
    machine = lab["lab-2"]
    with machine.outward():
        yield arrive(lab, machine, lab["lab-1"], build_wheel(place))


def follow(who: Stranger, steps: Sequence[Step], look: Callable[[Typed], None] = lambda _: None) -> list[Typed]:
    """
    Type the commands of the page. A tunnel stays open until the next one, or until the end.

    + look: called with each tunnel while it is open

    Raises AssertionError with what was shown if a command fails.
    """
    typed = []
    with ExitStack() as tunnels:
        for step in steps:
            if step.command.startswith(TUNNEL):
                tunnels.close()
                typed.append(tunnels.enter_context(who.left_open(step.command, "Press Ctrl-C")))
                look(typed[-1])
                continue
            done = who.enter(step.command)
            assert done.code == EXIT.get(step.command, 0), f"{step.command}: {done.code}\n{done.shown}"
            typed.append(done)
            if step.command.startswith("fleethands init "):
                _declare_lab(who, step.command.split()[-1])
    return typed


def _declare_lab(who: Stranger, project: str) -> None:
    """A labelled difference to real hosts: the release of Ollama that the lab serves."""
    folder = f"{HOME}/{project}/group_data"
    who.machine.run(f"mkdir {folder} && cat > {folder}/all.py && chmod -R a+rX {folder}", stdin=LAB_SETTINGS)


def main() -> int:
    """Write the page."""
    if reason := unfit():
        print(f"error: {reason}", file=sys.stderr)
        return 1
    lab, text = Lab.here(), PAGE.read_text()
    ready(lab, "lab-1", "lab-2")
    with tempfile.TemporaryDirectory() as place, stranger(lab, Path(place)) as who:
        typed = follow(who, read_steps(text))
    PAGE.write_text(write_steps(text, typed))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, CommandFailed, BootFailed, Timeout) as failure:
        sys.exit(f"error: {failure}")
