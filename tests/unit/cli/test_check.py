"""`fleethands check`: every mistake, with its place, and nothing is contacted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.checkout import ROOT
from tests.helpers.command_line import fleethands
from tests.helpers.inventories import laid
from tests.unit.settings.test_validation import FLEET, NAMED, WATCH

RIGHT = "boxes = [('box-1', {'models': ['m']}), ('box-2', {'models': ['m']})]\n"
MAIN = "from fleethands.cli.main import main; main()"


def check(place: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = fleethands("check", *words, "--json", cwd=place)
    document: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, document


def test_every_mistake_of_a_fleet_has_its_place(tmp_path: Path) -> None:
    laid(tmp_path, {"fleet.py": FLEET})

    code, document = check(tmp_path, "fleet.py")

    rows = document["mistakes"]
    assert [f"{row['host']}: `{row['key']}`: {row['problem']}" for row in rows] == NAMED.strip().splitlines()
    assert (code, document["result"], document["error"]) == (1, "failed", "")
    lines = FLEET.splitlines()
    for row in rows:
        if row["problem"].endswith("OpenHands needs a model"):
            assert (row["file"], row["line"]) == (None, None)
            continue
        assert row["file"] == "fleet.py"
        assert f'"{row["key"].partition(".")[0]}"' in lines[row["line"] - 1]
    assert all(row["given"] is not None for row in rows if ", got " in row["problem"])
    assert all(row["expected"] for row in rows if row["problem"].startswith("expected "))
    assert {row["nearest"] for row in rows if "nearest is" in row["problem"]} > {"gui", "models", "OLLAMA_NUM_PARALLEL"}
    assert "hunter2" not in json.dumps(document)


def test_the_lines_for_people_have_the_same_places(tmp_path: Path) -> None:
    laid(tmp_path, {"fleet.py": FLEET})

    done = fleethands("check", "fleet.py", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    lines = [re.sub(r" \(fleet\.py, line \d+\)$", "", line) for line in done.stderr.splitlines()]
    mistakes = NAMED.strip().splitlines()
    assert lines == [
        *(f"error: {line}" for line in mistakes),
        f"error: {len(mistakes)} mistakes, no host was contacted",
    ]


def test_a_right_inventory_has_no_mistake(tmp_path: Path) -> None:
    laid(tmp_path, {"fleet.py": RIGHT})

    done = fleethands("check", "fleet.py", "--hosts", "box-1", cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "fleet.py: 1 host, no mistakes\n", "")


HOOK = WATCH.replace(
    'event.startswith("socket.")', 'event.startswith(("socket.", "subprocess.", "os.posix_spawn", "os.exec"))'
)
HOOK += """
import atexit
atexit.register(lambda: os.write(log, " ".join(sorted(sys.modules)).encode() + b"\\n"))
"""
SECRETS = """
from fleethands.settings import Secret
more = {"A": Secret.env("NOT_SET_HERE"), "B": Secret.file("no/such/file"), "C": Secret.env("SET_HERE")}
own = {"models": ["m"], "ollama_env": {"OLLAMA_API_KEY": Secret.command("touch ran")}, "openhands_env": more}
boxes = [("box.example", own)]
"""


def watched(place: Path, inventory: str, *, alone: bool) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """The command, and what it did with sockets and programs; `alone`: where there is no network at all."""
    laid(place, {"hook/sitecustomize.py": HOOK, "fleet.py": inventory, "log": ""})
    words = ["unshare", "--map-root-user", "--net"] if alone else []
    done = subprocess.run(
        [*words, sys.executable, "-c", MAIN, "check", "fleet.py"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": f"{place / 'hook'}:{ROOT}", "SOCKETS": str(place / "log"), "SET_HERE": "x"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, (place / "log").read_text().splitlines()


@pytest.mark.parametrize("inventory", [FLEET, SECRETS])
def test_no_socket_is_opened_and_no_program_is_run(tmp_path: Path, inventory: str) -> None:
    done, (*events, modules) = watched(tmp_path, inventory, alone=False)

    assert done.returncode == (1 if inventory is FLEET else 0), done.stderr
    assert events == []
    assert not {"pyinfra", "gevent", "paramiko", "jinja2", "rich", "yaml"} & set(modules.split())
    assert not (tmp_path / "ran").exists()


def test_it_works_without_any_network(tmp_path: Path) -> None:
    if subprocess.run(["unshare", "--map-root-user", "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no network namespace")

    done, _ = watched(tmp_path, FLEET, alone=True)

    assert f"{len(NAMED.strip().splitlines())} mistakes" in done.stderr


def test_a_secret_that_ci_does_not_have_is_a_note(tmp_path: Path) -> None:
    done, _ = watched(tmp_path, SECRETS, alone=False)

    assert done.stdout == "fleet.py: 1 host, no mistakes\n"
    assert done.stderr.splitlines() == [
        "note: `ollama_env.OLLAMA_API_KEY`: the value was not checked: `touch ran` was not run",
        "note: `openhands_env.A`: the value was not checked: environment variable `NOT_SET_HERE` is not set",
        "note: `openhands_env.B`: the value was not checked: cannot read `no/such/file`: No such file or directory",
    ]


def test_a_secret_that_is_there_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARALLEL", "hunter2")
    laid(tmp_path, {"fleet.py": SECRETS.replace("OLLAMA_API_KEY", "OLLAMA_NUM_PARALLEL").replace(
        'Secret.command("touch ran")', 'Secret.env("PARALLEL")')})  # fmt: skip

    code, document = check(tmp_path, "fleet.py")

    (row,) = document["mistakes"]
    assert (code, row["key"], row["given"]) == (1, "ollama_env.OLLAMA_NUM_PARALLEL", "********")
    assert "hunter2" not in json.dumps(document)


def test_the_lockfile_and_modelfiles_are_checked(tmp_path: Path) -> None:
    models = "[{'name': 'mine', 'modelfile': 'modelfiles/mine'}]"
    laid(tmp_path, {"fleet.py": RIGHT.replace("['m']", models, 1), "fleethands.lock": '{\n"schema": 1,\n<<<<<<< a\n'})

    code, document = check(tmp_path, "fleet.py")

    lock, modelfile = document["mistakes"]
    assert (code, lock["file"], lock["line"], lock["host"]) == (1, "fleethands.lock", 3, None)
    assert "unresolved merge conflict" in lock["problem"]
    assert lock["hints"][0].startswith("keep one side")
    assert (modelfile["key"], modelfile["line"]) == ("models.0.modelfile", 1)
    assert modelfile["problem"] == "cannot read `modelfiles/mine`: No such file or directory"


def test_names_that_the_lockfile_lacks_are_notes(tmp_path: Path) -> None:
    laid(tmp_path, {"fleet.py": RIGHT, "fleethands.lock": '{"schema": 1}\n'})

    code, document = check(tmp_path, "fleet.py")

    assert code == 0
    assert "fleethands.lock does not pin m:latest" in document["notes"]


HOSTS = """gpu:
  hosts:
    a:
    b:
      ansible_port: x
  vars:
    models: [m]
    gpu: '{{ x }}'
"""


def test_group_data_and_ansible_have_places_too(tmp_path: Path) -> None:
    laid(
        tmp_path,
        {
            "fleet.py": "gpu = ['a', 'b']\n",
            "group_data/gpu.py": "# models\nmodels = ['m']\nfirewall = 'yes'\n",
            "hosts.yml": HOSTS,
        },
    )

    _, python = check(tmp_path, "fleet.py")
    _, ansible = check(tmp_path, "hosts.yml")

    assert {(row["host"], row["file"], row["line"]) for row in python["mistakes"]} == {
        ("a", "group_data/gpu.py", 3),
        ("b", "group_data/gpu.py", 3),
    }
    assert {(row["host"], row["key"], row["line"]) for row in ansible["mistakes"]} == {
        ("a", "gpu", 8),
        ("b", "gpu", 8),
        ("a", "firewall", None),
        ("b", "firewall", None),
        ("b", "ansible_port", 5),
    }


@pytest.mark.parametrize(
    ("files", "words", "line", "problem"),
    [
        ({"fleet.py": "a = [\n"}, "fleet.py", 1, "SyntaxError"),
        ({"fleet.py": "a = ['b']\nprint(missing)\n"}, "fleet.py", 2, "NameError: name 'missing' is not defined"),
        ({"fleet.py": RIGHT, "group_data/all.py": "x = 1\n1 / 0\n"}, "fleet.py", 2, "ZeroDivisionError"),
        ({"hosts.yml": "all:\n  host: {}\n"}, "hosts.yml", 2, "expected `hosts`, `vars` or `children`"),
        ({"fleet.py": "raise SystemExit('error: no token\\n\\nhint: log in')\n"}, "fleet.py", None, "no token"),
    ],
)
def test_an_inventory_that_cannot_be_read_is_one_mistake(
    tmp_path: Path, files: dict[str, str], words: str, line: int | None, problem: str
) -> None:
    code, document = check(laid(tmp_path, files), words)

    (row,) = document["mistakes"]
    assert (code, row["line"]) == (1, line)
    assert problem in row["problem"]
    assert row["hints"]


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["nowhere.py"], 64, "there is no inventory `nowhere.py`"),
        (["fleet.py", "--hosts", "bax-1"], 64, "no host that matches `bax-1`"),
        (["fleet.py", "--shard", "3/2"], 64, "`--shard`"),
        (["fleet.py", "--data", "models"], 64, "expected KEY=VALUE"),
        (["@terraform/x.value"], 1, "a program lists these hosts"),
        (["@nowhere/x"], 1, "no such connector"),
    ],
)
def test_what_cannot_be_checked_is_an_error_with_a_hint(
    tmp_path: Path, words: list[str], code: int, problem: str
) -> None:
    laid(tmp_path, {"fleet.py": RIGHT})

    done = fleethands("check", *words, "--json", cwd=tmp_path)

    assert done.returncode == code
    assert problem in json.loads(done.stdout)["error"]
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_the_hook_of_pre_commit_runs_the_command(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    laid(tmp_path, {"inventory/fleet.py": RIGHT})
    program, *words = hook["entry"].split()

    done = fleethands(*words, *hook.get("args", []), cwd=tmp_path)

    assert (program, hook["id"], hook["language"], hook["pass_filenames"]) == (
        "fleethands",
        "fleethands-check",
        "python",
        False,
    )
    assert (done.returncode, done.stdout) == (0, "inventory/fleet.py: 2 hosts, no mistakes\n")
    for path in (
        "inventory/fleet.py",
        "group_data/gpu.py",
        "sub/group_vars/all.yml",
        "fleethands.lock",
        "modelfiles/coder",
    ):
        assert re.search(hook["files"], path)
    assert not re.search(hook["files"], "README.md")
