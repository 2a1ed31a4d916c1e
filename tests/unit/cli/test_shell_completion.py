"""`fleethands completion`: a shell really completes with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT
from tests.helpers.command_line import fleethands

BIN = Path(sys.executable).parent
COMPLETE = """
eval "$(fleethands completion bash)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
function="$(complete -p fleethands)" function="${function##*-F }"
"${function%% *}" fleethands 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words: str) -> list[str]:
    """What bash offers for the last word of a command line, in this checkout."""
    command = ["bash", "--norc", "-c", COMPLETE, "bash", "fleethands", *words]
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.skipif(shutil.which("bash") is None, reason="this machine has no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pl"], ["plan"]),
        (["plan", "inventory/ex"], ["inventory/example.py"]),
        (["plan", "@l"], ["@local"]),
        (["plan", "--exc"], ["--exclude"]),
        (["plan", "inventory/example.py", "--hosts", "gpu"], ["gpu", "gpu-1.example.net"]),
        (["plan", "inventory/example.py", "--exclude", "x,gpu-1"], ["x,gpu-1.example.net"]),
        (["plan", "tests/fixtures/ansible/hosts.ini", "--hosts", "gpu-1,fl"], ["gpu-1,fleet"]),
        (["completion", "f"], ["fish"]),
    ],
)
def test_bash_completes(words: list[str], offered: list[str]) -> None:
    assert completed(*words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_all_that_is_printed(shell: str) -> None:
    done = fleethands("completion", shell)

    assert (done.returncode, done.stderr) == (0, "")
    assert "_FLEETHANDS_COMPLETE" in done.stdout


def test_an_inventory_is_read_and_not_run(tmp_path: Path) -> None:
    (tmp_path / "fleet.py").write_text(
        "import os\n_hidden = ['no']\ngpu = ['a-1', ('a-2', {})]\ncpu = (['a-3'], {})\nos.mkdir('ran')\n"
    )
    line = {
        "COMP_WORDS": "fleethands plan fleet.py --hosts a",
        "COMP_CWORD": "4",
        "_FLEETHANDS_COMPLETE": "bash_complete",
    }
    command = [sys.executable, "-c", "from fleethands.cli.main import main; main()"]

    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **line, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.splitlines() == ["plain,a-1", "plain,a-2", "plain,a-3"]
    assert not (tmp_path / "ran").exists()


def test_another_shell_is_refused_with_the_ones_that_there_are() -> None:
    done = fleethands("completion", "tcsh")

    assert done.returncode == 64
    assert "'bash', 'zsh', 'fish'" in done.stderr
