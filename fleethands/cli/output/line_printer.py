"""Prints the output of remote commands line by line, each line with the name of its host."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping

import click

from fleethands.everyday.command_result import CommandResult
from fleethands.everyday.host_command import STDERR
from fleethands.fleet.selection import join_names
from fleethands.report.redaction import Mask
from fleethands.text.sanitize import sanitize_line

LONGEST_LINE = 4000  # characters on a terminal


class LinePrinter:
    """
    Receives the lines of all hosts.

    + labels: what the lines may begin with
    + quiet: print nothing

    `on_closed` is called when the reader of standard output has gone, such as `head`.
    """

    def __init__(self, labels: Iterable[str], mask: Mask, *, quiet: bool) -> None:
        self._width, self._mask, self._quiet = max(map(len, labels), default=0), mask, quiet
        self.on_closed: Callable[[], None] = lambda: None

    def receive(self, label: str, stream: str, line: str) -> str:
        """Print one line, and return it without secrets."""
        masked = self._mask.text(line)
        if not self._quiet:
            shown = masked if len(masked) <= LONGEST_LINE else f"{masked[:LONGEST_LINE]} …"
            self._print(f"{label:{self._width}} | {shown}".rstrip(), err=stream == STDERR)
        return masked

    def _print(self, line: str, *, err: bool) -> None:
        try:
            click.echo(line, err=err)
        except BrokenPipeError:
            self._quiet = True
            place = os.open(os.devnull, os.O_WRONLY)
            os.dup2(place, (sys.stderr if err else sys.stdout).fileno())
            self.on_closed()


def print_results(results: Mapping[str, CommandResult]) -> None:
    """What came of a command, on standard error. Hosts with the same result share a line."""
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for label, result in results.items():
        groups.setdefault((describe_result(result), result.hints), []).append(label)
    for (text, hints), labels in groups.items():
        click.echo(sanitize_line(f"{join_names(labels)}: {text}"), err=True)
        for hint in hints:
            click.echo(sanitize_line(f"hint: {hint}"), err=True)


def describe_result(result: CommandResult) -> str:
    """A result in a few words, such as `exit code 0` or `unreachable: connection refused`."""
    if result.exit_code is not None and not result.reason:
        return f"exit code {result.exit_code}"
    return f"unreachable: {result.reason}" if result.status == "unreachable" else result.reason
