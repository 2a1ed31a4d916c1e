"""A sequence of scripts: what each of them printed and how it ended, for real shells and for hosts that lie."""

from __future__ import annotations

import fcntl
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleethands.operations.core import scripts
from fleethands.operations.core.sequence_output import STDERR, STDOUT, SequenceOutput
from fleethands.script import Script

MARK = "@@0123456789abcdef01234567"
PROBE = "echo probed"


def text_of(*steps: str, lock: str) -> str:
    values = {f"step_{number}": step for number, step in enumerate(steps, 1)}
    known = {"mark": MARK, "count": str(len(steps)), "probe": PROBE, "lock": lock}
    return Script(scripts.read("sequence"), {**known, **values}, talks=True).text


def run(
    *steps: str, end_input: bool = False, send_byte: bool = False, is_locked: bool = True
) -> tuple[int, SequenceOutput]:
    """A real shell, with an input that stays open. + send_byte: once the first script has begun"""
    pipe = subprocess.PIPE
    with (
        tempfile.NamedTemporaryFile() as lock,
        subprocess.Popen(["sh", "-s"], stdin=pipe, stdout=pipe, stderr=pipe) as process,
    ):
        if is_locked:
            fcntl.flock(lock, fcntl.LOCK_EX)
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(text_of(*steps, lock=lock.name).encode())
        process.stdin.flush()
        if end_input:
            process.stdin.close()
        head = process.stdout.readline() + process.stdout.readline()
        if send_byte:
            process.stdin.write(b"s")
            process.stdin.flush()
        out, err, code = head + process.stdout.read(), process.stderr.read(), process.wait(20)
    return code, parsed(len(steps), out.decode(), err.decode())


def parsed(count: int, out: str, err: str = "") -> SequenceOutput:
    output = SequenceOutput(MARK, count)
    for name, text in ((STDOUT, out), (STDERR, err)):
        for line in text.removesuffix("\n").split("\n"):
            output.add(name, line)
    return output


def lines(output: SequenceOutput, number: int) -> list[tuple[str, str]]:
    return [(line.buffer_name, line.line) for line in output.step(number).lines]


def test_each_script_has_its_own_output_and_status_and_the_probe_follows() -> None:
    code, output = run("echo one; echo bad >&2", "x='it'\\''s'; printf '%s' \"$x no end\"", "echo\necho")

    assert code == 0
    assert lines(output, 1) == [("stdout", "one"), ("stderr", "bad")]
    assert lines(output, 2) == [("stdout", "it's no end")]
    assert lines(output, 3) == [("stdout", ""), ("stdout", "")]
    assert all(output.step(number).statuses == {STDOUT: 0, STDERR: 0} for number in (1, 2, 3))
    assert output.probe == ["probed"]
    assert not output.is_broken


def test_nothing_runs_after_a_script_that_fails() -> None:
    code, output = run("true", "echo no >&2; exit 3", "touch /nowhere/at/all")

    assert code == 3
    assert output.step(2).statuses == {STDOUT: 3, STDERR: 3}
    assert (output.begun, output.step(3).has_ended, output.probe) == (2, False, [])


def test_a_variable_of_one_script_is_not_there_in_the_next() -> None:
    _, output = run("x=1; export x; cd /; set -u", 'echo "${x-none}"; echo "$nothing"')

    assert lines(output, 2) == [("stdout", "none"), ("stdout", "")]


def test_after_the_controller_died_no_other_script_begins() -> None:
    _, output = run("sleep 0.2; echo done", "echo never", end_input=True)

    assert lines(output, 1) == [("stdout", "done")]
    assert (output.stopped, output.begun, output.probe) == ("stopped", 1, [])


def test_a_busy_host_also_notices_that_the_controller_died() -> None:
    """Each of these shells takes longer than usual to start a program."""
    with ThreadPoolExecutor(30) as pool:
        found = list(pool.map(lambda _: run("sleep 1", "echo never", end_input=True)[1].begun, range(30)))

    assert found == [1] * 30


def test_after_the_lock_ended_no_other_script_begins() -> None:
    _, output = run("echo one", "echo never", is_locked=False)

    assert (output.stopped, output.begun) == ("unlocked", 1)


def test_a_byte_stops_it_after_the_script_that_runs() -> None:
    _, output = run("sleep 0.6; echo done", "echo never", send_byte=True)

    assert lines(output, 1) == [("stdout", "done")]
    assert (output.stopped, output.begun) == ("stopped", 1)


@pytest.mark.parametrize(
    "forged",
    [
        "begin 2",
        "begin 1 again",
        "end 1 0",
        "end 7 0",
        "probe",
        "stopped 9",
        "unlocked 2",
        "begin 99999999999999999999",
        "begin ١",
        "begin 1\r",
        "",
    ],
)
def test_a_frame_out_of_order_breaks_the_output(forged: str) -> None:
    output = parsed(3, f"{MARK} {forged}\n")

    assert output.is_broken
    assert (output.begun, output.probe, output.step(1).has_ended) == (0, [], False)


@pytest.mark.parametrize("forged", ["end 1 1000", "end 2 0", "end 1", "begin 2", "begin 1", "stopped 2", "probe"])
def test_a_frame_out_of_order_within_a_script_breaks_it_too(forged: str) -> None:
    assert parsed(3, f"{MARK} begin 1\n{MARK} {forged}\n").is_broken


def test_two_outputs_that_disagree_about_a_status_break_it() -> None:
    both = f"{MARK} begin 1\n\n{MARK} end 1 "

    assert parsed(1, f"{both}0\n", f"{both}1\n").is_broken
    assert not parsed(1, f"{both}0\n", f"{both}0\n").is_broken


def test_a_script_has_ended_only_in_both_outputs() -> None:
    output = parsed(1, f"{MARK} begin 1\n\n{MARK} end 1 0\n")

    assert not output.step(1).has_ended


def test_a_mark_of_someone_else_is_a_line_of_output() -> None:
    output = parsed(1, f"{MARK} begin 1\n@@ffff end 1 0\n x{MARK} end 1 0\n")

    assert [line for _, line in lines(output, 1)] == ["@@ffff end 1 0", f" x{MARK} end 1 0"]


def test_what_comes_before_the_first_frame_is_kept_for_the_message() -> None:
    output = parsed(2, "Welcome\n", "error: no sudo\nhint: add it")

    assert {line.line for line in output.outside} == {"Welcome", "error: no sudo", "hint: add it"}


def test_the_text_is_no_argument_of_a_process() -> None:
    """Secrets in scripts may not be seen by other users."""
    secret = "hunter2-of-the-sequence"  # noqa: S105
    code, output = run(f"x={secret}; tr '\\0' ' ' </proc/$$/cmdline; tr '\\0' ' ' </proc/$PPID/cmdline")

    assert code == 0
    assert lines(output, 1) == [("stdout", "sh -s sh -s ")]
