"""Commands on this machine, with a deadline and their last words when they fail."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 3  # times the timeout of a command: a machine that others use too may be that much slower for an hour


class CommandFailed(RuntimeError):
    """A command ended with a status that was not expected, or not at all in time."""

    def __init__(self, argv: Sequence[str], status: int | str, output: str) -> None:
        self.argv, self.status, self.output = list(argv), status, output
        tail = "\n".join(output.splitlines()[-20:])
        super().__init__(f"{' '.join(argv)[:400]}: {status}\n{tail}")


def run(
    *argv: str | Path,
    timeout: float = 120,
    check: bool = True,
    stdin: str | bytes | None = None,
    env: Mapping[str, str] | None = None,
    only_env: bool = False,
    cwd: Path | None = None,
    log: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """
    Run one command to its end; return its stdout and stderr as text.

    + timeout: seconds on a machine at rest; the whole process group is killed after PATIENCE times as many
    + env: added to this process's own environment
    + only_env: `env` replaces that environment
    + log: file that gets stdout and stderr instead (appended)

    Raises CommandFailed for a status other than 0 (unless check=False), and when time runs out.
    """
    words = [str(word) for word in argv]
    data = stdin.encode() if isinstance(stdin, str) else stdin
    sink = log.open("ab") if log else subprocess.PIPE
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE if data is not None else subprocess.DEVNULL,
        stdout=sink,
        stderr=subprocess.STDOUT if log else subprocess.PIPE,
        env={**({} if only_env else os.environ), **(env or {})},
        cwd=cwd,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(data, timeout=timeout * PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        out, err = process.communicate()
        raise CommandFailed(words, f"no end after {timeout * PATIENCE:g} s", _text(out) + _text(err)) from None
    except BaseException:
        os.killpg(process.pid, 9)
        process.wait()
        raise
    done = subprocess.CompletedProcess(words, process.returncode, _text(out), _text(err))
    if check and done.returncode:
        tail = log.read_text(errors="replace") if log else done.stdout + done.stderr
        raise CommandFailed(words, f"exit {done.returncode}", tail)
    return done


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what a long step is and, when it ends, how long it took."""
    start = time.monotonic()
    say(f"{name} …")
    try:
        yield
    except BaseException:
        say(f"{name}: failed after {time.monotonic() - start:.1f} s")
        raise
    say(f"{name}: {time.monotonic() - start:.1f} s")


def say(text: str) -> None:
    """One line for the person who waits."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


def _text(data: bytes | None) -> str:
    return (data or b"").decode(errors="replace")
