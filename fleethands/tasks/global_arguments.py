"""Checks the global arguments of pyinfra that a task is given. Each works, or is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyinfra.api import arguments
from pyinfra.api.arguments import generate_env
from pyinfra.api.exceptions import OperationValueError
from pyinfra.context import ctx_config, ctx_host, ctx_state

AS_ROOT = 'fleethands changes a host as root: log in as root, or as a user with sudo; `"root"` is accepted'
ONE_FAILS = "the next operations would continue on a host that is only half done"
WHY: Mapping[str, str] = {
    "name": "each operation of a task has a name of its own",
    "_run_once": 'all other hosts would stay without it; choose hosts with `if host.name == "…":` or `--limit`',
    "_ignore_errors": ONE_FAILS,
    "_continue_on_error": "the rest of an operation would run after a part of it failed",
    "_success_exit_codes": ONE_FAILS,
    "_stdin": "scripts and their values are sent on standard input",
    "_get_pty": "scripts are sent on standard input, and a terminal would change them",
    "_env": "scripts set their own; use the setting `ollama_env` for Ollama, and `openhands_env` for OpenHands",
    **dict.fromkeys(("_sudo_user", "_su_user", "_doas_user", "_dzdo_user"), AS_ROOT),
}
_USERS = {"_sudo_user", "_su_user", "_doas_user", "_dzdo_user"}


def check(task: str, given: Mapping[str, Any], may_fail: bool = False) -> None:
    """
    Check the arguments that a task would run with: its own, those of the deploy around it, and those of host data.

    + task: its name, for the message
    + may_fail: `_ignore_errors` is accepted, because nothing depends on this task

    Raises pyinfra's OperationValueError, so that nothing is changed on any host.
    """
    host = ctx_host.get()
    values: Mapping[str, Any] = arguments.pop_global_arguments(ctx_state.get(), host, dict(given))[0]
    for key, why in WHY.items():
        value = given.get(key) if key == "name" else values.get(key)
        if may_fail and key == "_ignore_errors":
            continue
        if _is_refused(key, value):
            raise OperationValueError(f"{task} does not take `{key}`: {why}")


def _is_refused(key: str, value: Any) -> bool:
    if key == "_env":
        return bool(value) and value != _own_env()
    if key == "_success_exit_codes":
        return list(value) != [0]
    if key in _USERS:
        return value not in (None, "", "root")
    return bool(value)


def _own_env() -> Any:
    """The variables that the configuration and host data give to every operation of the deploy."""
    config = ctx_config.get() if ctx_config.isset() else ctx_state.get().config
    return generate_env(config, ctx_host.get().data.get("_env"))


def conditions(given: Mapping[str, Any]) -> tuple[Callable[[], bool], ...]:
    """What a task is run under: `_if` of its own, and of the deploys around it."""
    return (*_listed(ctx_host.get().current_deploy_kwargs), *_listed(given))


def list_conditions(given: dict[str, Any]) -> None:
    """
    Make a list of each `_if` in place.

    pyinfra 3.10 joins those of nested deploys as lists, and fails for a function (api/host.py, `Host.deploy`).
    """
    for values in (given, ctx_host.get().current_deploy_kwargs or {}):
        if "_if" in values:
            values["_if"] = _listed(values)


def _listed(values: Mapping[str, Any] | None) -> list[Callable[[], bool]]:
    found = (values or {}).get("_if") or []
    return list(found) if isinstance(found, list | tuple) else [found]
