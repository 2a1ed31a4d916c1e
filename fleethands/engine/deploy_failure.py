"""Why a deploy file could not be evaluated for a host: its own mistakes, with the file and the line."""

from __future__ import annotations

import sys
from pathlib import Path
from traceback import walk_tb
from typing import Any

from pyinfra.api.exceptions import PyinfraError

from fleethands.errors import FleethandsError
from fleethands.ssh.timeouts import HostTimeout
from fleethands.text.sanitize import sanitize_line

OWN_MESSAGE = (PyinfraError, HostTimeout)  # they are about the host, not about the file


def explain_deploy_failure(error: BaseException, filename: str) -> tuple[str, list[str]]:
    """
    The reason and the hints for a host whose deploy file raised an error.

    Example: `deploy.py, line 3: NameError: name 'settings' is not defined`.
    """
    cause = _unwrap(error)
    if isinstance(cause, FleethandsError):
        return sanitize_line(cause.problem.message), list(cause.problem.hints)
    if isinstance(cause, OWN_MESSAGE):
        return sanitize_line(str(cause)), []
    line = _line(cause, filename)
    place = f"{Path(filename).name}, line {line}" if line else Path(filename).name
    reason = sanitize_line(f"{place}: {type(cause).__name__}: {cause}")
    return reason, [f"correct {filename}, and the modules that it imports"]


def _unwrap(error: BaseException) -> Any:
    """The error of a file that a deploy file includes, without pyinfra's wrapper: str() of that fails."""
    wrappers = sys.modules.get("pyinfra_cli.exceptions")  # `local.include` imports it
    return error.exception if wrappers and isinstance(error, wrappers.UnexpectedExternalError) else error


def _line(cause: BaseException, filename: str) -> int | None:
    """The line of the deploy file, the innermost one if it calls itself."""
    if isinstance(cause, SyntaxError):
        return cause.lineno if cause.filename == filename else None
    lines = [number for frame, number in walk_tb(cause.__traceback__) if frame.f_code.co_filename == filename]
    return lines[-1] if lines else None
