"""Makes a task of a list of operations: a heading of the plan that any deploy file of pyinfra can call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol

from pyinfra.api import deploy
from pyinfra.context import ctx_host

from fleethands.settings import HostSettings, settings_for
from fleethands.tasks import calls, global_arguments
from fleethands.tasks.calls import Call

P = ParamSpec("P")


class Task(Protocol):
    """A task. Without settings it takes those of pyinfra's current host; it also takes pyinfra's global arguments."""

    def __call__(self, settings: HostSettings | None = None, *args: Any, **kwargs: Any) -> None: ...


def task(
    heading: str, *requires: Task, may_fail: bool = False
) -> Callable[[Callable[Concatenate[HostSettings, P], None]], Task]:
    """
    Make a task of a function.

    + heading: begins the names of its operations: `Ollama | Write the unit`
    + requires: tasks that have to come first. Those that the deploy file has not called yet for this host are brought
      along, with the same settings and global arguments.
    + may_fail: a deploy file may ignore its failure

    The task raises pyinfra's InventoryError for mistakes in host data, and OperationValueError for a global argument
    that it does not take. Nothing is changed on any host then.

    Example:

        @task("Ollama", firewall.close)
        def serve(settings: HostSettings) -> None:
            release.install(name="Install the pinned release", settings=settings)

        serve()
    """

    def decorate(function: Callable[Concatenate[HostSettings, P], None]) -> Task:
        body = deploy(heading)(function)
        label = f"`{function.__module__.rpartition('.')[2]}.{function.__name__}`"

        @wraps(function)
        def run(settings: HostSettings | None = None, *args: Any, **kwargs: Any) -> None:
            given = _take_global_arguments(label, kwargs, may_fail)
            wanted = settings or settings_for(ctx_host.get())
            conditions = global_arguments.conditions(given)
            _bring_along(requires, wanted, conditions, given)
            calls.record(ctx_host.get(), Call(run, wanted, conditions))
            body(wanted, *args, **kwargs)

        _show_default(run)
        return run

    return decorate


def _take_global_arguments(label: str, kwargs: dict[str, Any], may_fail: bool) -> dict[str, Any]:
    """Those among the arguments of a task. Raises OperationValueError for one that it does not take."""
    global_arguments.list_conditions(kwargs)
    given = {key: each for key, each in kwargs.items() if _is_global(key)}
    global_arguments.check(label, given, may_fail)
    return given


def _bring_along(requires: Sequence[Task], settings: HostSettings, conditions: Any, given: Mapping[str, Any]) -> None:
    """Run the required tasks that the deploy file has not called yet for the context's host."""
    host = ctx_host.get()
    for required in host.loop(requires):  # a loop of pyinfra's, which tells their operations apart by it
        if not calls.is_planned(host, Call(required, settings, conditions)):
            required(settings, **given)


def _is_global(key: str) -> bool:
    return key.startswith("_") or key == "name"


def _show_default(run: Any) -> None:
    """Show in `help(…)` that the settings may be left out."""
    signature = inspect.signature(run)
    first, *rest = signature.parameters.values()
    kind = inspect.Parameter.KEYWORD_ONLY
    shown = [first.replace(default=None, annotation="HostSettings | None"), *(each.replace(kind=kind) for each in rest)]
    run.__signature__ = signature.replace(parameters=shown)
