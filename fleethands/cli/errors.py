"""Prints problems, and says with which code the command line exits."""

from __future__ import annotations

import click

from fleethands.errors import FleethandsError, Problem, UsageError
from fleethands.text.sanitize import sanitize

EXIT_FAILED = 1
EXIT_USAGE = 64
EXIT_INTERRUPTED = 130


class NothingToDo(Exception):
    """No host is left for this command; the text is the reason."""


def print_problem(problem: Problem) -> None:
    """The message on one line, then its hints, on standard error."""
    click.echo(sanitize(f"error: {problem.message}"), err=True)
    for hint in problem.hints:
        click.echo(sanitize(f"\nhint: {hint}"), err=True)


def exit_code(error: FleethandsError) -> int:
    """The exit code of a command that this error ends."""
    return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
