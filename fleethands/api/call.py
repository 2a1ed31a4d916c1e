"""The caller's side of one call: starts the worker, passes its events on, and interrupts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import fleethands
from fleethands.api.errors import WorkerDied
from fleethands.api.events import EventQueue, OnEvent, event_from_json
from fleethands.api.worker import SIZE
from fleethands.errors import FleethandsError, Problem
from fleethands.text.sanitize import sanitize

START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from fleethands.api.worker import main; main()"
LONGEST_OUTPUT = 1 << 14  # bytes of the worker's output that an exception shows
EXIT_TIMEOUT = 10.0  # seconds for a worker that has sent its last message
RUN_AGAIN = "run it again: what was begun on a host is completed then"
Message = dict[str, Any]


class Call:
    """
    One worker process. The calling thread waits in `answer`; any thread may call `interrupt`.

    + request: bytes that the worker understands
    """

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._events = EventQueue()
        self._lock = threading.Lock()
        self._interrupts = 0
        self._is_ready = self._is_sent = False
        self._last: Message | None = None
        self._output = b""
        self.is_interrupted = False
        read, write = os.pipe()
        try:
            self._process = _start(write)
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        _spawn(self._read_messages, read)
        self._output_thread = _spawn(self._read_output)

    def answer(self, on_event: OnEvent | None = None) -> Message:
        """
        Wait for the last message of the worker.

        + on_event: receives events in this thread. If it raises an exception, the run stops, and then it is raised.

        Ctrl-C interrupts the worker, a second one aborts it; `is_interrupted` says so. Raises WorkerDied.
        """
        failure: Exception | None = None
        has_ended = False
        try:
            while not has_ended:
                try:
                    if not self._is_sent:
                        self._is_sent = True  # only here, so that Ctrl-C before leaves no run without a caller
                        _spawn(self._send, self._request)
                    event = self._events.get()
                    has_ended = event is None
                    if event is not None and on_event is not None and failure is None:
                        on_event(event)
                except KeyboardInterrupt:
                    self.is_interrupted = True
                    self.interrupt()
                except Exception as error:  # of on_event
                    failure = error
                    self.interrupt()
        finally:
            self._close(has_ended=has_ended)
        if failure is not None:
            raise failure
        if self._last is None:
            raise self._death()
        return self._last

    def interrupt(self) -> None:
        """The first time, hosts finish their current step. The second time, the worker aborts."""
        with self._lock:
            self._interrupts += 1
            if self._is_ready:
                self._signal(signal.SIGINT)
            elif self._interrupts > 1:  # it has not begun
                self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _read_messages(self, descriptor: int) -> None:
        with open(descriptor, "rb") as lines, suppress(ValueError):  # half a line: the worker has died
            for line in lines:
                message = json.loads(line)
                if "event" in message:
                    self._events.put(event_from_json(message))
                elif "ready" in message:
                    self._note_ready()
                else:
                    self._last = message
        self._events.put(None)

    def _note_ready(self) -> None:
        with self._lock:
            self._is_ready = True
            if self._interrupts:
                self._signal(signal.SIGINT)

    def _read_output(self) -> None:
        output = self._process.stdout
        while output is not None and (part := output.read1(LONGEST_OUTPUT)):  # type: ignore[attr-defined]
            self._output = (self._output + part)[-LONGEST_OUTPUT:]

    def _send(self, request: bytes) -> None:
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):  # the worker has died, which `answer` reports
                self._process.stdin.write(len(request).to_bytes(SIZE) + request)
                self._process.stdin.flush()

    def _close(self, *, has_ended: bool) -> None:
        """The worker's standard input ends here. A worker that is still at work finishes its current steps."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        if not has_ended:
            return
        try:
            self._process.wait(EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output_thread.join(EXIT_TIMEOUT)

    def _death(self) -> WorkerDied:
        code = self._process.returncode
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        output = "\n".join(sanitize(line) for line in self._output.decode(errors="replace").splitlines())
        return WorkerDied(Problem(f"the worker process ended before its report: {how}", (RUN_AGAIN,)), output)


def _spawn(function: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, name="fleethands", daemon=True)
    thread.start()
    return thread


def _start(messages: int) -> subprocess.Popen[bytes]:
    """Start a worker that imports the same modules as this process."""
    if not sys.executable:
        raise FleethandsError("this process has no Python interpreter to start a worker with")
    package = str(Path(fleethands.__file__).resolve().parent.parent)
    path = [*(os.path.abspath(each) for each in sys.path), package]
    return subprocess.Popen(
        [sys.executable, "-P", "-c", START, str(messages), json.dumps(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(messages,),
        start_new_session=True,  # Ctrl-C reaches the caller alone, which decides
    )
