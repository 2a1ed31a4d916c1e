"""A change in words: the same in `fleethands plan`, in its report and in `pyinfra --dry`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class ChangeDescription(Protocol):
    """What a change says of itself."""

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
    """One change, line by line: the operation, from and to, the reason, what its users notice, the diff."""
    yield f"~ {name}"
    yield f"    {subject}: {change.before} -> {change.after}"
    if change.why:
        yield f"    why: {change.why}"
    if change.consequence:
        yield f"    then: {change.consequence}"
    if diff:
        yield from (f"    {line}" for line in change.diff.splitlines())
