"""What we lean on in pyinfra: this fails loudly when a release changes it."""

from __future__ import annotations

import subprocess
import sys


def test_the_names_that_the_engine_uses_are_there() -> None:
    checks = """
import importlib.metadata, inspect
import pyinfra, pyinfra_cli.util
from pyinfra.api import Config, State
from pyinfra.api.host import Host
from pyinfra.api.operation import OperationMeta
from pyinfra.api.operations import run_ops
from pyinfra.api.state import BaseStateCallback, StateStage
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.context import ctx_config, ctx_host, ctx_inventory, ctx_state
from pyinfra_cli.inventory import make_inventory

assert importlib.metadata.version("pyinfra").startswith("3.10.")
assert list(inspect.signature(run_ops).parameters)[:1] == ["state"]
assert {"override_data", "cwd"} <= set(inspect.signature(make_inventory).parameters)
assert {"host_connect", "host_connect_error"} <= set(dir(BaseStateCallback))
assert {"Connect", "Prepare", "Execute"} <= set(StateStage.__members__)
assert {"is_complete", "did_error", "stderr_lines"} <= set(dir(OperationMeta))
assert {"set_stage", "add_callback_handler", "get_op_meta", "is_executing"} <= set(dir(State))
assert callable(pyinfra_cli.util.load_deploy_file) and hasattr(SSHConnector, "run_shell_command")
assert hasattr(Host, "current_op_hash") and hasattr(Host, "noop")
"""
    done = subprocess.run([sys.executable, "-c", checks], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_help_needs_no_pyinfra() -> None:
    checks = "import sys, fleethands.cli.main; sys.exit('pyinfra' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", checks], timeout=60, check=False).returncode == 0


def test_a_report_is_made_without_patching_the_standard_library() -> None:
    checks = (
        "import sys, fleethands.rollout.reporting, gevent.monkey; sys.exit(gevent.monkey.is_module_patched('socket'))"
    )
    assert subprocess.run([sys.executable, "-c", checks], timeout=60, check=False).returncode == 0
