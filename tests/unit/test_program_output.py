"""Programs on this machine, whose output is read until they end."""

from __future__ import annotations

import subprocess
import time

from fleethands.program_output import LAST_OUTPUT, Output, wait_for_end


class BlockCollector:
    """Keeps all blocks, up to a number of bytes."""

    def __init__(self, most: int = 1 << 30) -> None:
        self.data, self.at, self._most = b"", list[float](), most

    @property
    def is_full(self) -> bool:
        return len(self.data) > self._most

    def receive(self, block: bytes) -> None:
        self.data += block
        self.at.append(time.monotonic())


def run(script: str, timeout: float = 30, most: int = 1 << 30) -> tuple[int | None, BlockCollector, float]:
    """The exit code of a script, its output, and the seconds that the wait took."""
    kept, begin = BlockCollector(most), time.monotonic()
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, bufsize=0) as process:
        code = wait_for_end(process, Output(process.stdout, kept), timeout=timeout)
        took = time.monotonic() - begin
        process.kill()
    return code, kept, took


def test_the_whole_output_is_read() -> None:
    code, kept, _ = run("head -c 1000000 /dev/zero; exit 3")

    assert (code, len(kept.data)) == (3, 1000000)


def test_output_comes_while_the_program_runs() -> None:
    _, kept, _ = run("echo first; sleep 0.5; echo last")

    assert kept.data == b"first\nlast\n"
    assert kept.at[1] - kept.at[0] > 0.3


def test_a_program_without_output_is_waited_for() -> None:
    code, _, took = run("exec >&-; sleep 0.5; exit 4")

    assert (code, took < 5) == (4, True)


def test_a_program_that_does_not_end_has_no_exit_code() -> None:
    code, _, took = run("sleep 60", timeout=0.3)

    assert (code, took < 5) == (None, True)


def test_what_runs_on_in_the_background_is_not_waited_for() -> None:
    code, kept, took = run("sleep 8 & echo done")

    assert (code, kept.data) == (0, b"done\n")
    assert LAST_OUTPUT <= took < 7


def test_an_output_that_is_full_ends_the_wait() -> None:
    code, _, took = run("yes", most=1 << 20)

    assert (code, took < 10) == (None, True)
