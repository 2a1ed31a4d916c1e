"""Renders a change, the same for `fleethands plan`, its report and `pyinfra --dry`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class ChangeDescription(Protocol):
    """The texts of a change."""

    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def consequence(self) -> str: ...
    @property
    def diff(self) -> str: ...


def render_change(name: str, subject: str, change: ChangeDescription, *, diff: bool = True) -> Iterator[str]:
    """The lines of one change: the operation, the two states, the reason, what users notice, the diff."""
    yield f"~ {name}"
    yield f"    {subject}: {change.before} -> {change.after}"
    if change.why:
        yield f"    why: {change.why}"
    if change.consequence:
        yield f"    then: {change.consequence}"
    if diff:
        yield from (f"    {line}" for line in change.diff.splitlines())
