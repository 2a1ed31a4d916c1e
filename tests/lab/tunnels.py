"""`fleethands tunnel`, run as a person runs it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

from tests.lab import fleet

Tunnel = tuple[str, subprocess.Popen[str]]


@contextmanager
def tunnel(*words: str, **environment: str) -> Iterator[Tunnel]:
    """Once it has said its address: that, and the process; it has to end well by Ctrl-C."""
    command, pipe = [str(fleet.FLEETHANDS), "tunnel", *words], subprocess.PIPE
    variables = {**os.environ, **environment}
    process = subprocess.Popen(command, cwd=fleet.ROOT, stdout=pipe, stderr=pipe, text=True, env=variables)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://localhost:" in line, process.communicate()[1]
        yield line.split()[-1], process
        _ended(process)
    finally:
        process.kill()
        process.wait()


@contextmanager
def tunnel_on_a_terminal(*words: str) -> Iterator[tuple[str, str]]:
    """The same on a terminal of its own: its address, and the key that it shows there."""
    here, there = pty.openpty()
    command = [str(fleet.FLEETHANDS), "tunnel", *words]
    process = subprocess.Popen(command, cwd=fleet.ROOT, stdin=there, stdout=there, stderr=subprocess.DEVNULL, text=True)
    os.close(there)
    try:
        with open(here, encoding="utf-8", errors="replace") as said:
            url, key = (said.readline().split()[-1] for _ in range(2))
            yield url, key
            _ended(process)
    finally:
        process.kill()
        process.wait()


def _ended(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def get(url: str, body: bytes | None = None) -> bytes:
    """What a page answers, to what is sent there."""
    with urlopen(Request(url, data=body), timeout=120) as answer:  # noqa: S310  http
        return bytes(answer.read())
