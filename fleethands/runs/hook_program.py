"""Runs a hook: a program on the controller, whose output is shown line by line."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fleethands.errors import FleethandsError
from fleethands.program_output import Output, wait_for_end

TIMEOUT = 600.0  # seconds
MOST_LINES = 1000  # that are shown; the rest is read and dropped
LONGEST_LINE = 1 << 12  # bytes
WITHOUT = "to run without hooks: add `--no-hooks`"


@dataclass(frozen=True)
class HookProgram:
    """A hook that may be run."""

    path: Path

    @classmethod
    def find(cls, path: Path) -> HookProgram | None:
        """
        The hook at a path; None if there is none.

        Raises FleethandsError for a file that is not a program, and for one that another user could have written.
        """
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise FleethandsError(f"cannot read the hook {path}: {error.strerror}", WITHOUT) from None
        if not stat.S_ISREG(status.st_mode):
            raise FleethandsError(f"the hook {path} is not a regular file", WITHOUT)
        if status.st_uid not in _trusted_users():
            problem = f"the hook {path} belongs to another user, who could run programs as you"
            raise FleethandsError(problem, f"if you trust it: sudo chown {os.getuid()} {path}", WITHOUT)
        if status.st_mode & stat.S_IWOTH:
            raise FleethandsError(f"every user can change the hook {path}", f"chmod o-w {path}", WITHOUT)
        if not os.access(path, os.X_OK):
            raise FleethandsError(f"the hook {path} is not executable", f"chmod +x {path}", WITHOUT)
        return cls(path)

    def run(self, variables: Mapping[str, str], show: Callable[[str], None]) -> str:
        """
        Run the hook. The answer says why it failed; it is empty for exit code 0.

        + variables: are added to the environment; show: is called with each line of output
        """
        try:
            process = subprocess.Popen(
                [self.path.absolute()],
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            return f"cannot be run: {error.strerror}"
        try:
            lines = _Lines(show)
            code = wait_for_end(process, Output(process.stdout, lines), timeout=TIMEOUT)
            lines.show_rest()
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # what it left in the background, too
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if code is None:
            return f"did not end within {TIMEOUT:.0f} s"
        return f"exited with {code}" if code else ""


def _trusted_users() -> set[int]:
    """This user and root; for root behind `sudo`, the user who called it, like in git."""
    caller = os.environ.get("SUDO_UID", "")
    return {os.geteuid(), 0} | ({int(caller)} if os.geteuid() == 0 and caller.isdecimal() else set())


class _Lines:
    """Shows what a program prints, line by line."""

    is_full = False  # what is too much is read and dropped

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show, self._rest, self._shown = show, b"", 0

    def receive(self, block: bytes) -> None:
        """Show the lines of one block."""
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            self._print(line)
        if len(self._rest) > LONGEST_LINE:
            self.show_rest()

    def show_rest(self) -> None:
        """Show what has no end of line."""
        if self._rest:
            self._print(self._rest)
        self._rest = b""

    def _print(self, line: bytes) -> None:
        self._shown += 1
        if self._shown <= MOST_LINES:
            self._show(line[:LONGEST_LINE].decode(errors="replace").rstrip("\r"))
        elif self._shown == MOST_LINES + 1:
            self._show(f"more than {MOST_LINES} lines, the rest is not shown")
