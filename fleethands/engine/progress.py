"""Reports each operation that changes a host, and its progress, to a listener."""

from __future__ import annotations

import re
from typing import Any, Protocol

from pyinfra.api import State
from pyinfra.api.state import BaseStateCallback

from fleethands.operations.core import journal
from fleethands.report.redaction import NO_MASK, Mask
from fleethands.streams import PROGRESS

PULL = re.compile(
    r"(?P<what>(?:model|release|image|bundle) \S+) (?P<done>\d{1,15})/(?P<total>\d{1,15}) bytes"
)  # puller.sh, fetch_parts.sh, deliver.sh
MAX_LINE = 500  # characters of a line that is shown while a host works


class ProgressListener(Protocol):
    """Receives what happens during a run, when it happens."""

    def phase(self, text: str) -> None:
        """A part of the run begins, such as `canary: lab-1`, or the whole run has a message."""

    def step(self, host: str, name: str) -> None:
        """An operation that changes a host begins."""

    def pull(self, host: str, what: str, done: int, total: int) -> None:
        """A host has received `done` of the `total` bytes of a model. A total of 0 is not known yet."""

    def remark(self, host: str, text: str) -> None:
        """A script on a host has printed a progress line."""

    def done(self, host: str, ok: bool) -> None:
        """The last operation of a host has ended, or one has failed."""


class ProgressCallbacks(BaseStateCallback):
    """
    Turns pyinfra's callbacks and the output of scripts into calls of a listener.

    + mask: hides secrets in that output
    """

    def __init__(self, state: State, listener: ProgressListener, mask: Mask = NO_MASK) -> None:
        self.state, self.listener, self.mask = state, listener, mask
        self._remaining: dict[str, set[str]] = {}

    def operation_host_start(self, _state: State, host: Any, op_hash: str) -> None:
        (name,) = self.state.get_op_meta(op_hash).names
        if name in journal.operations_with_changes(host):
            self.listener.step(host.name, name)

    def operation_host_success(self, _state: State, host: Any, op_hash: str, _retries: int = 0) -> None:
        (name,) = self.state.get_op_meta(op_hash).names
        remaining = self._remaining.setdefault(host.name, journal.operations_with_changes(host))
        if name in remaining:
            remaining.remove(name)
            if not remaining:
                self.listener.done(host.name, ok=True)

    def operation_host_error(self, _state: State, host: Any, *_: Any) -> None:
        self.listener.done(host.name, ok=False)

    def on_line(self, host: str, line: str) -> None:
        """Pass on a progress line that a script has just printed on a host."""
        if not line.startswith(PROGRESS):
            return
        text = self.mask.text(line.removeprefix(PROGRESS))[:MAX_LINE]
        if pulled := PULL.fullmatch(text):
            self.listener.pull(host, pulled["what"], int(pulled["done"]), int(pulled["total"]))
        else:
            self.listener.remark(host, text)
