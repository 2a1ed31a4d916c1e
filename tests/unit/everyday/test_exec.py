"""`fleethands exec` on hosts that run the command for real."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.executing import begin, document, executing_hosts, fleethands

STUBBORN = 'trap "" TERM; echo ready; sleep 4711.5'
BRIEF = 300  # seconds; a busy machine is slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fleet")


@pytest.fixture(scope="module")
def inventory(place: Path) -> Iterator[str]:
    if os.geteuid():
        pytest.skip("the hosts of this test run commands as root")
    with executing_hosts(place, one={"CODE": "0"}, two={"CODE": "3"}) as path:
        yield str(path)


def until(is_true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + BRIEF
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_true()


def has_process(command: str) -> bool:
    return not subprocess.run(["pgrep", "-fx", command], capture_output=True, check=False).returncode


def test_each_host_has_its_own_exit_code(place: Path, inventory: str) -> None:
    code, found = document(place, "exec", inventory, "--", 'echo "I am $CODE"; echo oh >&2; exit $CODE')

    assert (code, found["result"]) == (1, "failed")
    one, two = found["hosts"]["one"], found["hosts"]["two"]
    assert (one["status"], one["exit_code"], one["stdout"], one["stderr"]) == ("done", 0, "I am 0\n", "oh\n")
    assert (two["status"], two["exit_code"], two["reason"]) == ("failed", 3, "exit code 3")
    assert (one["remote_commands"], two["remote_commands"]) == (1, 1)


def test_lines_have_the_name_of_their_host(place: Path, inventory: str) -> None:
    code, out, err = fleethands(place, "exec", inventory, "--", "echo here; echo there >&2; exit $CODE")

    assert code == 1
    assert sorted(out.splitlines()) == ["one | here", "two | here"]
    assert {"one | there", "two | there", "one: exit code 0", "two: exit code 3"} <= {*err.splitlines()}


def test_words_are_passed_as_words(place: Path, inventory: str) -> None:
    words: list[str] = ["a b", "$CODE", "it's", "*", "--json", "-- x", "é"]

    code, found = document(place, "exec", inventory, "--hosts", "one", "--", "printf", "%s\\n", *words)

    assert (code, found["hosts"]["one"]["stdout"].splitlines()) == (0, words)


def test_a_terminal_escape_is_not_shown(place: Path, inventory: str) -> None:
    _, out, _ = fleethands(place, "exec", inventory, "--hosts", "one", "--", r"printf '\033]0;owned\007\033[31mred\n'")

    assert out == "one | red\n"


def test_ctrl_c_ends_the_processes_on_the_hosts(place: Path, inventory: str) -> None:
    process = begin(place, "exec", inventory, "--hosts", "one", "--", STUBBORN)
    assert process.stdout
    assert process.stdout.readline() == "one | ready\n"
    assert has_process("sleep 4711.5")

    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=BRIEF)

    assert process.returncode == 130
    assert "one: interrupted" in err
    assert until(lambda: not has_process("sleep 4711.5"))


def test_a_lost_controller_ends_the_processes_on_the_hosts(place: Path, inventory: str) -> None:
    process = begin(place, "exec", inventory, "--hosts", "one", "--", STUBBORN.replace("4711", "4712"))
    assert process.stdout
    assert process.stdout.readline() == "one | ready\n"

    process.kill()
    process.communicate()

    assert until(lambda: not has_process("sleep 4712.5"))


def test_a_timeout_ends_one_host(place: Path, inventory: str) -> None:
    code, found = document(place, "exec", inventory, "--timeout", "2s", "--", 'test "$CODE" = 0 || sleep 4713.5')

    assert code == 1
    assert [found["hosts"][name]["status"] for name in ("one", "two")] == ["done", "failed"]
    assert found["hosts"]["two"]["reason"] == "not finished within 2 s"
    assert until(lambda: not has_process("sleep 4713.5"))


def test_a_process_in_the_background_delays_nothing(place: Path, inventory: str) -> None:
    code, found = document(place, "exec", inventory, "--hosts", "one", "--", "sleep 4714.5 & echo $!")

    try:
        assert code == 0
        assert has_process("sleep 4714.5"), "what the user put into the background stays"
    finally:
        os.kill(int(found["hosts"]["one"]["stdout"]), signal.SIGKILL)


def test_much_output_is_cut_in_the_document_and_given_up_at_a_limit(place: Path, inventory: str) -> None:
    much = 'if [ "$CODE" = 0 ]; then yes 0123456789012345 | head -c 3000000; else yes "$(seq -s , 20000)"; fi'
    code, found = document(place, "exec", inventory, "--", much)

    one, two = found["hosts"]["one"], found["hosts"]["two"]
    assert (code, one["status"], one["stdout_truncated"], len(one["stdout"])) == (1, "done", True, 1 << 20)
    assert two["reason"] == "it sent more than 64 MiB, and was given up"
    assert len(two["stdout"]) <= 1 << 20
    assert until(lambda: not has_process("yes .*"))


def test_a_closed_output_ends_the_command(place: Path, inventory: str) -> None:
    process = begin(place, "exec", inventory, "--hosts", "one", "--", "while echo 4715.5; do sleep 0.02; done")
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(BRIEF) == 130


def test_secrets_are_masked_even_if_the_settings_are_wrong(place: Path, inventory: str) -> None:
    fleet = place / "with_secrets.py"
    hosts = Path(inventory).read_text().replace("boxes = ", "_hosts = ")
    more = '{**data, "models": 5, "ollama_env": {"OLLAMA_API_KEY": Secret.env("KEY")}}'
    fleet.write_text(
        f"from fleethands.settings import Secret\n{hosts}boxes = [(name, {more}) for name, data in _hosts]\n"
    )

    code, out, err = fleethands(
        place, "exec", str(fleet), "--hosts", "one", "--", "echo hunter22-$CODE", KEY="hunter22"
    )

    assert (code, "hunter22" in out + err) == (0, False)


def test_a_host_that_cannot_be_reached_delays_no_other(place: Path, inventory: str) -> None:
    fleet = place / "gone.py"
    fleet.write_text(f"{Path(inventory).read_text()}boxes[1][1]['ssh_port'] = 9\n")

    code, found = document(place, "exec", str(fleet), "--", "true")

    assert code == 1
    assert [found["hosts"][name]["status"] for name in ("one", "two")] == ["done", "unreachable"]
    assert found["hosts"]["two"]["reason"]


@pytest.mark.parametrize("words", [["uptime"], ["box", "uptime"], ["--"], ["box", "--"]])
def test_the_command_comes_after_two_dashes(words: list[str], tmp_path: Path) -> None:
    code, _, err = fleethands(tmp_path, "exec", *words)

    assert (code, "`--`" in err) == (64, True)
