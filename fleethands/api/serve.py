"""Serves one request in a worker process."""

from __future__ import annotations

import base64
import os
import pickle
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import gevent  # type: ignore[import-untyped]
import gevent.os  # type: ignore[import-untyped]

from fleethands.api.events import EventListener, PhaseEvent, WarningEvent
from fleethands.api.request import Request
from fleethands.api.sender import Message, Sender
from fleethands.api.worker import STOPS
from fleethands.bundle.check_files import check_files
from fleethands.engine.engine import Engine
from fleethands.errors import FleethandsError, UsageError
from fleethands.fleet.hosts_in_code import HostsInCode
from fleethands.fleet.shard import EmptyShard
from fleethands.report.model import Report
from fleethands.runs.change_hosts import ALL_AT_ONCE, HostChanges, change_hosts
from fleethands.runs.open_hosts import WantedHosts, open_hosts
from fleethands.runs.read_hosts import read_hosts
from fleethands.runs.unfinished_report import KnownRun
from fleethands.runs.verify_hosts import verify_hosts
from fleethands.settings import SettingsError
from fleethands.ssh.timeouts import Limits


def serve(request: bytes, messages: int, caller: int) -> None:
    """
    Serve a request.

    + request: pickled; messages, caller: the pipes
    """
    sender = Sender(messages)
    gevent.spawn(_interrupt_without_caller, caller)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        sender.send({"ready": True})
        sender.send(_Run(Request.from_bytes(request), sender).answer())
    except FleethandsError as error:
        sender.send(_problem(error))
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        sender.close()


def _interrupt_without_caller(caller: int) -> None:
    """The end of standard input means that the caller has died."""
    gevent.os.make_nonblocking(caller)
    while gevent.os.nb_read(caller, 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)


def _problem(error: FleethandsError) -> Message:
    if isinstance(error, SettingsError):
        return {"mistakes": [[each.host, each.path, each.problem] for each in error.mistakes]}
    return {"problem": str(error), "hints": list(error.hints), "is_usage": isinstance(error, UsageError)}


class _Run:
    def __init__(self, request: Request, sender: Sender) -> None:
        self._request, self._sender = request, sender
        self._known = KnownRun(request.line, reports_hosts=True)

    def answer(self) -> Message:
        """Raises FleethandsError."""
        try:
            engine = self._open()
            if self._request.action == "settings":
                return {"settings": base64.b64encode(pickle.dumps(engine.settings())).decode()}
            report = self._run(engine)
        except EmptyShard:
            report = Report(self._request.line.command, {}, words=self._request.line.arguments)
        except KeyboardInterrupt as error:
            report = self._known.unfinished_report(error)
        report.shard = report.shard or self._request.line.shard
        return {"report": report.to_json()}

    def _open(self) -> Engine:
        """The engine for the request, with settings that are right."""
        request = self._request
        check_files(request.options.bundle, self._announce, whole=request.action == "apply")
        code = HostsInCode(request.code.hosts, request.code.groups) if request.code else None
        limits = Limits(request.command_timeout, request.host_timeout)
        wanted = WantedHosts(request.line, request.options, request.data, limits=limits, in_code=code)
        engine = self._known.engine = open_hosts(wanted, self._warn)
        engine.settings()
        if request.line.upstream:
            engine.ask_registries(self._warn)
        return engine

    def _run(self, engine: Engine) -> Report:
        request = self._request
        match request.action:
            case "plan" | "status":
                return read_hosts(engine)
            case "verify":
                return verify_hosts(engine, self._listen)
        deploy = "rollback.py" if request.action == "rollback" else "deploy.py"
        changes = HostChanges(deploy, request.strategy or ALL_AT_ONCE, request.lock_wait)
        return change_hosts(engine, changes, self._listen, self._announce)

    @contextmanager
    def _listen(self, _hosts: list[str]) -> Iterator[EventListener]:
        yield EventListener(self._sender.send_event)

    def _announce(self, text: str) -> None:
        self._sender.send_event(PhaseEvent(text))

    def _warn(self, text: str) -> None:
        self._sender.send_event(WarningEvent(text))
