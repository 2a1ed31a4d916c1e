"""The command of one script: in a sequence where that is possible, or by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyinfra.api.command import StringCommand

from fleethands.facts.host_session import session_of
from fleethands.operations.core.sequence import Sequence
from fleethands.script import SHELL


class StepCommand(StringCommand):
    """
    Runs a script as root.

    + script: as the host's shell takes it
    + make_sequence: the sequence that begins with this script; None if it has to be sent by itself
    """

    def __init__(self, script: str, make_sequence: Callable[[], Sequence | None]) -> None:
        super().__init__(SHELL, _stdin=script)
        self._script, self._make_sequence = script, make_sequence

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> Any:
        """Whether it succeeded, and its output."""
        session = session_of(host)
        if session.sequence is None or not session.sequence.is_next(self._script):
            session.sequence = None if session.is_stopping else self._make_sequence()
            if session.sequence is None:
                return super().execute(state, host, connector_arguments)
            session.sequence.begin(host, connector_arguments)
        # an operation that has begun is completed, so a script that was stopped before it began is sent by itself
        return session.sequence.next_result() or super().execute(state, host, connector_arguments)
