"""The bundles that a run was given, before any host is contacted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fleethands.bundle.bundle import Bundle
from fleethands.text.format import format_size


def check_files(files: Sequence[str], say: Callable[[str], None], *, whole: bool) -> tuple[str, ...]:
    """
    The absolute paths of bundles, after a check.

    + say: called with a line for each file that is read
    + whole: read every byte

    Raises BundleError.
    """
    for name in files:
        bundle = Bundle.open(Path(name))
        if whole:
            say(f"check {name}, {format_size(bundle.size)}")
            bundle.verify()
    return tuple(str(Path(name).absolute()) for name in files)
