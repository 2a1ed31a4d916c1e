"""
The worker process of one call: reads its request from standard input, and sends messages to its own pipe.

Its import patches nothing. `main` patches the standard library before all other imports.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIZE = 8  # bytes of the length before the request


def main() -> None:
    """
    Serve one request.

    Argument: the number of the pipe for messages. The caller holds the other end of standard input as long as it lives.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # until the run can report an interrupt
    for each in STOPS:  # a shell starts jobs in the background with SIGINT ignored
        signal.signal(each, _interrupt)
    messages, caller = int(sys.argv[1]), os.dup(0)
    os.set_inheritable(messages, False)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # commands that the run starts must not take the end of the pipe
    os.close(nothing)
    request = _read(caller, int.from_bytes(_read(caller, SIZE)))
    importlib.import_module("fleethands.start_up").prepare_imports()
    importlib.import_module("fleethands.api.serve").serve(request, messages, caller)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _read(descriptor: int, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(descriptor, size - len(parts))
        if not part:
            sys.exit("the request ended too early")
        parts += part
    return bytes(parts)
