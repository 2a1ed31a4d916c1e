"""The worker processes of one fleet, and their answers as values and exceptions."""

from __future__ import annotations

from typing import Any

from fleethands.api.call import RUN_AGAIN, Call
from fleethands.api.errors import Interrupted, WorkerDied
from fleethands.api.events import OnEvent
from fleethands.api.request import Request
from fleethands.errors import FleethandsError, UsageError
from fleethands.report.load import read_report
from fleethands.report.model import Report
from fleethands.settings import SettingsError
from fleethands.settings.validation.errors import InvalidSetting


class Workers:
    """The calls of one fleet that are at work, each in a thread of the program."""

    def __init__(self) -> None:
        self._calls: set[Call] = set()

    def report(self, request: Request, on_event: OnEvent | None) -> Report:
        """Raises FleethandsError, Interrupted."""
        return read_report(self.ask(request, on_event)["report"])

    def ask(self, request: Request, on_event: OnEvent | None = None) -> dict[str, Any]:
        """
        The last message of a worker, with `report` or `settings`.

        Raises FleethandsError, Interrupted.
        """
        call = Call(request.to_bytes())
        self._calls.add(call)
        try:
            message = call.answer(on_event)
        except WorkerDied:
            if call.is_interrupted:  # the last Ctrl-C aborted it
                raise Interrupted(_aborted(request)) from None
            raise
        finally:
            self._calls.discard(call)
        if call.is_interrupted:
            raise Interrupted(read_report(message["report"]) if "report" in message else _aborted(request))
        _raise_problem(message)
        return message

    def stop(self) -> None:
        """Interrupt all calls."""
        for call in tuple(self._calls):
            call.interrupt()


def _aborted(request: Request) -> Report:
    line = request.line
    return Report(
        line.command, {}, words=line.arguments, shard=line.shard, interrupted=True, error="aborted", hints=[RUN_AGAIN]
    )


def _raise_problem(message: dict[str, Any]) -> None:
    if "mistakes" in message:
        raise SettingsError([InvalidSetting(*each) for each in message["mistakes"]])
    if "problem" in message:
        raise (UsageError if message["is_usage"] else FleethandsError)(message["problem"], *message["hints"])
