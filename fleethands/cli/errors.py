"""What goes wrong before or beside a run: one line of error, and hints below it."""

from __future__ import annotations

from typing import Any

import click

from fleethands.text.sanitize import sanitize

USAGE = 64


class Trouble(click.ClickException):
    """
    One line of error, and hints below it.

    + code: exit status; 64 for wrong use
    """

    def __init__(self, message: str, *hints: str, code: int = 1) -> None:
        super().__init__(message)
        self.hints, self.code = hints, code

    def show(self, file: Any = None) -> None:
        click.echo(sanitize(f"error: {self.message}"), err=True)
        for hint in self.hints:
            click.echo(sanitize(f"\nhint: {hint}"), err=True)
