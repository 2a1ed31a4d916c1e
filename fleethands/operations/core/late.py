"""Arguments of operations that are computed from the probe, and again after someone else has changed the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from fleethands import facts

T = TypeVar("T")
U = TypeVar("U")


class Late(Generic[T]):
    """
    A value that an operation computes when it decides.

    The value of the plan stays valid in the run, as all operations of a task must be given the same one. Only after a
    foreign operation has changed the host it is computed again.

    + compute: called while an operation is the context's

    Example:

        home = Late(lambda: facts.get_probe(settings).home)
        system.create_directory(name="Create its home", settings=settings, path=home, owner=OWNER, mode=None)
    """

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute = compute
        self._known: tuple[int, T] | None = None  # with the number of foreign changes that it was computed after

    def value(self) -> T:
        """The value for the context's operation."""
        changes = facts.foreign_changes()
        if self._known is None or self._known[0] != changes:
            self._known = changes, self._compute()
        return self._known[1]

    def map(self, function: Callable[[T], U]) -> Late[U]:
        """Another value, computed from this one."""
        return Late(lambda: function(self.value()))


def resolve(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of an operation, with the values of those that are late."""
    return {name: each.value() if isinstance(each, Late) else each for name, each in arguments.items()}
