"""What a command imports before it connects, and what it spares."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT

SPARED = {  # by a plan; each costs between 2 and 50 ms
    "cryptography.x509",
    "fleethands.api",
    "fleethands.locks",
    "fleethands.report.formats.html_page",
    "fleethands.report.formats.junit",
    "fleethands.report.formats.markdown",
    "fleethands.tls",
    "invoke",  # of paramiko
    "pyinfra.operations",
    "pyinfra_cli.main",
    "rich",
    "yaml",
}
PLAN = """
import json, sys
from fleethands.cli.main import main
sys.argv = ["fleethands", "plan", "@local", "--data", 'models=["codellama:7b"]', *sys.argv[1:]]
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_plan_imports_no_more_than_it_needs(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whatever this machine is, its plan runs the deploy file, and so imports all tasks."""
    done = subprocess.run(
        [sys.executable, "-c", PLAN, *words],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    imported = set(json.loads(done.stderr.splitlines()[-1]))

    assert {"fleethands.tasks.proof", "fleethands.facts.parse_probe", "paramiko"} <= imported, done.stderr[:2000]
    assert SPARED & imported == set()


def test_help_imports_no_certificates() -> None:
    program = "import sys; import fleethands.cli.main; print({'cryptography', 'fleethands.tls'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "set()\n"


def prepared(program: str) -> str:
    """What a program prints after the first imports of a command."""
    start = "from fleethands.start_up import prepare_imports; prepare_imports(); prepare_imports()\n"
    done = subprocess.run(
        [sys.executable, "-c", start + program], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_what_was_put_off_is_the_real_thing_when_it_is_used() -> None:
    program = """
import sys, paramiko.config
print("invoke" in sys.modules)
try:
    raise paramiko.config.invoke.Exit("here")
except paramiko.config.invoke.Exit as error:
    import invoke, invoke.runners
    print(error, isinstance(error, invoke.Exit), paramiko.config.invoke.run is invoke.run)
"""
    assert prepared(program) == "False\nhere True True\n"


def test_gevent_patches_the_standard_library() -> None:
    program = (
        "import gevent.monkey, importlib.metadata;"
        "print(gevent.monkey.is_module_patched('socket'), importlib.metadata.entry_points.__module__)"
    )
    assert prepared(program) == "True importlib.metadata\n"


WAITING = """
import os, sys
from fleethands.start_up import prepare_imports
prepare_imports()
import gevent, fleethands.engine.engine
def wait():
    print("fleethands.tasks.proof" in sys.modules)
    while "fleethands.tasks.proof" not in sys.modules:
        gevent.sleep(0.1)
    print("imported", flush=True)
    os._exit(0)
gevent.spawn(wait)
from fleethands.cli.main import main
sys.argv = ["fleethands", "plan", sys.argv[1], "--data", 'models=["codellama:7b"]']
main()
"""


def test_tasks_are_imported_while_the_first_host_is_slow_to_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and never sends a word
        done = subprocess.run(
            [sys.executable, "-c", WAITING, f"root@127.0.0.1:{silent.getsockname()[1]}"],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert done.stdout == "False\nimported\n", done.stderr
