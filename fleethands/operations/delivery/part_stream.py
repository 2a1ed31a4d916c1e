"""
Sends parts of a bundle to a script that asks for them, over the session that the script runs in.

The script prints `deliver DIGEST START` and reads the rest of that part from its standard input. A host can ask for
each part of its own list twice, because a beginning that came from a neighbor may be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import gevent  # type: ignore[import-untyped]
from paramiko import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.connectors.util import CommandOutput, OutputLine

from fleethands.bundle.bundle_set import BundleSet
from fleethands.errors import FleethandsError
from fleethands.script import SHELL
from fleethands.streams import LiveInput, listen

MOST_REQUESTS = 2  # for each part
STDERR = "stderr"
REQUEST = re.compile(r"deliver (?P<digest>sha256:[0-9a-f]{64}) (?P<start>\d{1,15})\Z")


@dataclass(frozen=True)
class PartStream:
    """
    Parts of bundles for one host.

    + digests: those that it may ask for
    """

    bundles: BundleSet
    digests: frozenset[str]

    def command(self, script: str) -> StringCommand:
        return DeliverCommand(script, self)


class DeliverCommand(StringCommand):
    """Runs a script as root, and sends it the parts that it asks for."""

    def __init__(self, script: str, stream: PartStream) -> None:
        super().__init__(SHELL, _stdin=script)
        self._script, self._stream = script, stream

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> Any:
        """Whether it succeeded, and its output."""
        parts = PartInput(self._script, self._stream)
        try:
            with listen(parts.on_lines):
                done = host.run_shell_command(StringCommand(SHELL), **{**connector_arguments, "_stdin": parts})
        finally:
            parts.close()
        return (False, CommandOutput(list(_lines(parts.error)))) if parts.error else done


class PartInput(LiveInput):
    """
    The input of the script: its text, then the parts.

    + error: why a part could not be read on this machine
    """

    def __init__(self, script: str, stream: PartStream) -> None:
        super().__init__(script)
        self.error: FleethandsError | None = None
        self._stream, self._left = stream, dict.fromkeys(stream.digests, MOST_REQUESTS)
        self._sender: Any = None

    def on_lines(self, name: str, lines: list[str]) -> None:
        """Begin to send what lines of the script's output ask for."""
        for line in lines if name == "stdout" else ():
            self._answer(line.strip())

    def _answer(self, line: str) -> None:
        request = REQUEST.match(line)
        if request is None or not self._left.get(request["digest"]):
            return
        self._left[request["digest"]] -= 1
        before, self._sender = self._sender, gevent.spawn(self._send, request["digest"], int(request["start"]))
        if before is not None:  # the script asks for one part after the other
            before.kill(block=False)

    def close(self) -> None:
        """Stop sending."""
        if self._sender is not None:
            self._sender.kill(block=False)

    def _send(self, digest: str, start: int) -> None:
        bundle, part = self._stream.bundles.sources[digest]
        try:
            for chunk in bundle.read(part, min(start, part.size)):
                self._channel.sendall(chunk)
                gevent.sleep(0)
        except FleethandsError as error:
            self._give_up(error)
        except (SSHException, EOFError):
            pass  # the script has ended, and its output has the reason
        except OSError as error:
            if not self._channel.closed:
                self._give_up(FleethandsError(f"cannot read {bundle.path}: {error.strerror or error}"))

    def _give_up(self, error: FleethandsError) -> None:
        self.error = error
        self._channel.close()


def _lines(error: FleethandsError) -> Iterable[OutputLine]:
    yield OutputLine(STDERR, f"error: {error}")
    yield from (OutputLine(STDERR, f"hint: {hint}") for hint in error.hints)
