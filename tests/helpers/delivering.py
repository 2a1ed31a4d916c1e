"""Runs deliver.sh for real in directories of a test. A thread is the controller, and counts what it sends."""

from __future__ import annotations

import hashlib
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleethands.operations.core import scripts
from fleethands.operations.delivery.deliver import DeliverParts
from fleethands.script import Script

REQUEST = re.compile(r"deliver (sha256:[0-9a-f]{64}) (\d+)\n\Z")
# in place of common.sh, which locks the host
LIBRARY = """
set -eu
work_file='' explained=''
fail() { printf 'error: %s\\n' "$1" >&2; exit 1; }
remove_at_end() { work_file=$1; }
on_exit() { [ -z "$work_file" ] || rm -rf "$work_file"; }
trap on_exit EXIT
"""


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def delivery_body(extra: str = "") -> str:
    """The script. + extra: shell code before deliver.sh itself"""
    parts = [scripts.read(name) for name in DeliverParts.script_parts]
    return LIBRARY + "".join(parts) + extra + scripts.read("deliver")


def rows_of(contents: Sequence[bytes]) -> str:
    return "\n".join(f"{digest_of(each)} {len(each)} model codellama:7b - - -" for each in contents)


@dataclass
class Delivery:
    """
    One host that gets parts of a bundle.

    + place: directory of this host
    + command: in front of `sh -s`, such as `ip netns exec NAME`
    + rate: bytes a second that the controller sends; 0 for no limit
    + cut: bytes after which the connection ends; None for never

    `sent` counts the bytes of parts that the controller sent, `asked` has (digest, start) of each request.
    """

    place: Path
    contents: Sequence[bytes]
    command: Sequence[str] = ()
    rate: int = 0
    cut: int | None = None
    extra: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    sent: int = 0
    asked: list[tuple[str, int]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def store(self) -> Path:
        return Path(self.values.get("store", str(self.place / "state/artifacts")))

    @property
    def work(self) -> Path:
        """The directory for the script's own files."""
        return self.place / "delivery"

    def part(self, content: bytes, end: str = "") -> Path:
        return self.store / f"{digest_of(content).replace(':', '-')}{end}"

    def start(self) -> Delivery:
        given = {"rows": rows_of(self.contents), "images": "", "store": str(self.store), "place": str(self.work)}
        given |= {"what": "bundle parts", "floor": "1", "share": str(self.place / "share"), **self.values}
        text = Script(delivery_body(self.extra), given, talks=True).text
        self.process = subprocess.Popen(
            [*self.command, "sh", "-s"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        assert self.process.stdin
        self.process.stdin.write(text.encode())
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def finish(self, timeout: float = 60) -> int:
        """Its exit status."""
        status = self.process.wait(timeout)
        self._thread.join(10)
        return status

    def run(self) -> int:
        return self.start().finish()

    def _serve(self) -> None:
        known = {digest_of(each): each for each in self.contents}
        assert self.process.stdout
        for raw in self.process.stdout:
            line = raw.decode()
            self.said.append(line.rstrip("\n"))
            if request := REQUEST.match(line):
                self.asked.append((request[1], int(request[2])))
                threading.Thread(target=self._send, args=(known[request[1]][int(request[2]) :],), daemon=True).start()

    def _send(self, content: bytes) -> None:
        """In blocks, at the rate of the connection, to its end."""
        assert self.process.stdin
        step, begun = 1 << 16, time.monotonic()
        for at in range(0, len(content), step):
            block = content[at : at + step]
            if self.cut is not None:
                block = block[: self.cut - self.sent]
            try:
                self.process.stdin.write(block)
            except (OSError, ValueError):  # its end was closed
                return
            self.sent += len(block)
            if self.cut is not None and self.sent >= self.cut:
                self.process.stdin.close()
                return
            if self.rate:
                time.sleep(max(0, begun + (at + step) / self.rate - time.monotonic()))
