"""Checks the value of a declared secret, without showing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fleethands.settings.expected import InvalidValue
from fleethands.settings.host import HostSettings
from fleethands.settings.values.secret import MASK, Secret


def find_problem_of_secret(
    settings: HostSettings, path: str, secret: Secret, check: Callable[[str], object]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """
    Its path and its problem; nothing for a right value, and for one that this machine does not read.

    + check: raises InvalidValue for a wrong value
    """
    if path in settings.unread_secrets:
        return
    try:
        check(secret.reveal())
    except InvalidValue as error:
        yield path, error.got(f"`{MASK}`"), ()
    except ValueError as error:
        yield path, str(error), ()
