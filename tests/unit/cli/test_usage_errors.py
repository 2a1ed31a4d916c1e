"""What the command line says when it is used wrongly."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.helpers.command_line import fleethands


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["plam"], 64, "error: No such command 'plam'"),
        (["exec", "uptime"], 64, "error: put `--` in front of the command: fleethands exec [TARGET] -- uptime"),
        (["plan", "--jsn"], 64, "No such option '--jsn'. Did you mean '--json'?"),
        (["plan", "inventory/local.py", "--data", "x"], 64, "error: `--data x`: expected KEY=VALUE"),
        (["logs", "ollamma"], 64, "error: there is no log `ollamma`, nearest is `ollama`"),
        (["schema", "--inventory", "--group-vars"], 64, "are two schemas: give one of them"),
        (
            ["plan", "inventory/local.py", "--hosts", "gpu-*"],
            64,
            "error: `inventory/local.py` has no host that matches `gpu-*`\n\nhint: its hosts: @local",
        ),
        (
            ["plan", "inventory/exampel.py"],
            64,
            "error: there is no inventory `inventory/exampel.py`\n\nhint: nearest is `inventory/example.py`",
        ),
        (
            ["apply", "inventory/local.py"],
            64,
            "error: cannot ask for confirmation: standard input is not a terminal\n\n"
            "hint: to change hosts from a script: add `--yes`",
        ),
    ],
)
def test_wrong_use_exits_64_with_one_line(words: list[str], code: int, said: str) -> None:
    done = fleethands(*words)

    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_every_mistake_is_named_before_any_connection(tmp_path: Path) -> None:
    inventory = tmp_path / "fleet.py"
    inventory.write_text("gpu = [(f'gpu-{n}.invalid', {'ollama_hots': n, 'openhands_port': 0}) for n in range(5)]\n")

    done = fleethands("plan", str(inventory))

    assert done.returncode == 1
    assert done.stderr.count("`ollama_hots`: no such setting, nearest is `ollama_host`") == 5  # each has its own value
    assert done.stderr.count("(5 hosts): `openhands_port`: expected a port from 1 to 65535, got `0`") == 1
    assert "7 mistakes in the inventory, no host was contacted" in done.stderr


def test_a_mistake_that_hosts_share_is_counted_once(tmp_path: Path) -> None:
    inventory = tmp_path / "fleet.py"
    inventory.write_text("gpu = [(f'gpu-{n}.invalid', {'models': ['m'], 'openhands_port': 0}) for n in (1, 2)]\n")

    done = fleethands("plan", str(inventory))

    assert len([line for line in done.stderr.splitlines() if "`openhands_port`" in line]) == 1
    assert "error: 1 mistake in the inventory, no host was contacted\n" in done.stderr


@pytest.mark.parametrize(
    ("inventory", "said"),
    [
        ("gpu = [(\n", "fleet.py, line 1: SyntaxError: '(' was never closed"),
        ("import os\ngpu = [os.environ['NOT_SET_ANYWHERE']]\n", "fleet.py, line 2: KeyError: 'NOT_SET_ANYWHERE'"),
        ("raise SystemExit('error: none is up\\n\\nhint: boot it')\n", "error: none is up\n\nhint: boot it\n"),
    ],
)
def test_an_inventory_that_can_not_be_read_names_its_line(tmp_path: Path, inventory: str, said: str) -> None:
    (tmp_path / "fleet.py").write_text(inventory)

    done = fleethands("plan", str(tmp_path / "fleet.py"))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_that_is_not_there_is_named_and_the_next_command_is_whole() -> None:
    done = fleethands("plan", "root@gpu-1.invalid", "--data", 'models=["m"]', "--data", "ollama_version=0.24.0")

    assert done.returncode == 1
    assert "root@gpu-1.invalid  unreachable: unknown host name: gpu-1.invalid" in done.stdout
    words = """root@gpu-1.invalid --data 'models=["m"]' --data ollama_version=0.24.0"""
    assert done.stdout.endswith(f"Fix the cause, then run: fleethands plan {words}\n")


@pytest.mark.parametrize(
    "words",
    [
        ["tunnel", "root@gpu-1.invalid", "--port", "8080", "--ollama"],
        ["uninstall", "root@gpu-1.invalid", "--workspaces", "--yes"],
        ["apply", "root@gpu-1.invalid", "--shard", "1/1", "--canary", "1", "--yes"],
    ],
)
def test_the_command_that_says_which_models_is_the_same_one_and_works(words: list[str]) -> None:
    done = fleethands(*words)

    hint = next(line for line in done.stderr.splitlines() if line.startswith("hint: name the models: fleethands "))
    again = shlex.split(hint.partition("fleethands ")[2])
    assert done.returncode == 1
    assert set(words) < set(again)
    assert "unknown host name: gpu-1.invalid" in (after := fleethands(*again)).stdout + after.stderr


@pytest.mark.parametrize("action", [["status"], ["release"], ["acquire", "--reason", "a new driver"]])
def test_a_lock_asks_for_no_settings(tmp_path: Path, action: list[str]) -> None:
    (tmp_path / "fleet.py").write_text("gpu = [('gpu-1.invalid', {'ollama_hots': 1})]\n")

    for target in ("root@gpu-1.invalid", str(tmp_path / "fleet.py")):
        done = fleethands("lock", *action, target)
        assert (done.returncode, done.stderr) == (1, "")
        assert "gpu-1.invalid  unreachable: unknown host name: gpu-1.invalid" in done.stdout


def test_data_takes_words_as_inventories_have_them() -> None:
    words = [word for pair in ("firewall=False", "gpu=None", "models_prune=True") for word in ("--data", pair)]

    done = fleethands("plan", "root@gpu-1.invalid", "--data", 'models=["m"]', *words)

    assert "expected True" not in done.stderr
    assert done.returncode == 1
