"""The lab's own servers as processes: started once, found again by a later run, ended without a trace.

A server leads a session of its own and its workers stay in it, so they are found even when the server itself was
killed. A session's number is not given away while a process is left in it; the start time tells it from a later one.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


class NotReady(RuntimeError):
    """A server did not answer in time."""


@dataclass(frozen=True)
class Server:
    """One server; `name` names its pid and log files under `directory`."""

    name: str
    directory: Path

    @property
    def log(self) -> Path:
        """Where its own messages go."""
        return self.directory / f"{self.name}.log"

    def running(self) -> bool:
        """Whether the server itself (not only a worker that it left behind) is alive."""
        known = self._known()
        return known is not None and known[0] in self._members()

    def last_words(self) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def start(self, argv: Sequence[str | Path]) -> None:
        """Start the server, after ending what is left of it."""
        self.stop()
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        words = [str(word) for word in argv]
        pid = os.posix_spawnp(words[0], words, os.environ, file_actions=actions, setsid=True)
        state = _State.read(pid)
        self._pid_file.write_text(json.dumps([pid, state.started if state else 0]))

    def stop(self, grace: float = 5) -> None:
        """End the server and its workers: asked first, killed when `grace` seconds did not do."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            members = self._members()
            handles = [handle for handle in map(_handle, members) if handle is not None]
            for handle in handles:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
            _wait(handles, grace)
        if known := self._known():
            with contextlib.suppress(ChildProcessError):  # of another process, and that one's to reap
                os.waitid(os.P_PID, known[0], os.WEXITED | os.WNOHANG)
        self._pid_file.unlink(missing_ok=True)

    def wait(self, ready: Callable[[], bool], seconds: float = 20) -> None:
        """Return as soon as `ready()` holds; NotReady when the server ends first, or time does."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running():
                raise NotReady(f"{self.name} ended: {self.last_words()}")
            if time.monotonic() > deadline:
                raise NotReady(f"{self.name} not ready after {seconds:g} s: {self.last_words()}")
            time.sleep(0.02)

    @property
    def _pid_file(self) -> Path:
        return self.directory / f"{self.name}.pid"

    def _known(self) -> tuple[int, int] | None:
        """Session and start time of the server, as noted when it was started."""
        try:
            session, started = json.loads(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        return int(session), int(started)

    def _members(self) -> list[int]:
        """Processes of the server's session; none if another process has its number now."""
        known = self._known()
        if known is None:
            return []
        session, started = known
        alive = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        found = {pid: state for pid in alive if (state := _State.read(pid)) and state.session == session}
        if session in found and found[session].started != started:
            return []
        return [pid for pid, state in found.items() if state.started >= started]


@dataclass(frozen=True)
class _State:
    """What /proc shows of a live process."""

    session: int
    started: int  # in clock ticks since the boot

    @staticmethod
    def read(pid: int) -> _State | None:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else _State(session=int(fields[3]), started=int(fields[19]))


def _handle(pid: int) -> int | None:
    """A file descriptor that stands for the process, whatever becomes of its number."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _wait(handles: Sequence[int], seconds: float) -> None:
    """Until all have ended, at most `seconds`; closes the handles."""
    deadline = time.monotonic() + seconds
    for handle in handles:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.poll(max(0, int((deadline - time.monotonic()) * 1000)))
        os.close(handle)
