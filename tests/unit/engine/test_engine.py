"""What we lean on in pyinfra: this fails loudly when a release changes it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_the_names_that_the_engine_uses_are_there() -> None:
    checks = """
import dataclasses, importlib.metadata, inspect
import paramiko, paramiko.client, paramiko.packet
import pyinfra
from pyinfra.api import Config, State
from pyinfra.api.arguments import generate_env, pop_global_arguments
from pyinfra.api.host import Host
from pyinfra.api.operation import OperationMeta
from pyinfra.api.inventory import Inventory
from pyinfra.api.operations import run_host_op
from pyinfra.api.state import BaseStateCallback, StateStage
from pyinfra.connectors import ssh_util, util
from pyinfra.connectors.ssh import SSHConnector, connector_data_meta
from pyinfra.connectors.sshuserclient import client
from pyinfra.context import ctx_config, ctx_host, ctx_inventory, ctx_state
from pyinfra_cli.inventory import _get_group_data, make_inventory
from pyinfra_cli.util import exec_file

assert importlib.metadata.version("pyinfra").startswith("3.10.")
assert list(inspect.signature(run_host_op).parameters) == ["state", "host", "op_hash"]
assert list(inspect.signature(Host.__init__).parameters)[1:] == ["name", "inventory", "groups", "connector_cls"]
assert {"override_data", "cwd"} <= set(inspect.signature(make_inventory).parameters)
assert list(inspect.signature(_get_group_data).parameters) == ["dirname_or_filename"]
assert {"host_connect", "host_connect_error"} <= set(dir(BaseStateCallback))
assert {"Connect", "Prepare", "Execute"} <= set(StateStage.__members__)
assert {"is_complete", "did_error", "stderr_lines", "executed", "will_change"} <= set(dir(OperationMeta))
assert {"set_stage", "add_callback_handler", "get_op_meta", "is_executing"} <= set(dir(State))
assert {"get_op_order", "activate_host", "trigger_callbacks", "current_deploy_filename"} <= set(dir(State))
assert "current_exec_filename" in dir(State) and "state.current_exec_filename = " in inspect.getsource(exec_file)
assert {"run_shell_command", "client", "connect"} <= set(dir(SSHConnector))
assert {"ssh_paramiko_connect_kwargs", "ssh_known_hosts_file", "ssh_config_file"} <= set(connector_data_meta)
assert "getpass(" in inspect.getsource(util) and callable(util.getpass)
assert "getpass(" in inspect.getsource(ssh_util) and callable(ssh_util.getpass)
assert "input(" in inspect.getsource(client.AskPolicy.missing_host_key)
assert "input(" not in inspect.getsource(client.StrictPolicy.missing_host_key)
assert list(inspect.signature(client.get_missing_host_key_policy).parameters) == ["policy"]
sources = {"ssh": SSHConnector, "client": client, "ssh_util": ssh_util, "util": util}
asking = {name: inspect.getsource(each).count("input(") for name, each in sources.items()}
assert asking == {"ssh": 0, "client": 1, "ssh_util": 0, "util": 0}, asking  # another place where it asks a person
assert "read_output_buffers(" in inspect.getsource(SSHConnector.run_shell_command)
assert "write_stdin(_stdin, stdin_buffer)" in inspect.getsource(SSHConnector.run_shell_command)
assert paramiko.Channel(0).exit_status == -1
assert "read_output_buffers(" in inspect.getsource(util.run_local_process)
names = ["stdout_buffer", "stderr_buffer", "timeout", "print_output", "print_prefix"]
assert list(inspect.signature(util.read_output_buffers).parameters) == names
assert [each.name for each in dataclasses.fields(util.OutputLine)] == ["buffer_name", "line"]
assert "self.client = SSHClient()" in inspect.getsource(SSHConnector._connect)  # the name that is replaced
given = inspect.getsource(SSHConnector.make_paramiko_kwargs)
options = ["config_file", "known_hosts_file", "strict_host_key_checking", "paramiko_connect_kwargs"]
assert all(f'"_pyinfra_ssh_{each}"' in given for each in options)
assert all(word in given for word in ('("username",', '("port",', '"pkey"', '"allow_agent"', '"look_for_keys"'))
assert "for pkey_class in (RSAKey, ECDSAKey, Ed25519Key):" in inspect.getsource(paramiko.client.SSHClient._auth)
assert "transport_factory = Transport" in inspect.getsource(paramiko.client.SSHClient.connect)
assert "packetizer_class" in inspect.signature(paramiko.Transport.__init__).parameters
assert {"read_all", "read_message", "_read_timeout"} <= set(dir(paramiko.packet.Packetizer))
assert paramiko.Transport._channel_handler_table[94] is paramiko.Channel._feed
assert paramiko.Transport._channel_handler_table[95] is paramiko.Channel._feed_extended
assert {"in_buffer", "in_stderr_buffer", "in_window_size"} <= set(vars(paramiko.Channel(0)))
state = State(Inventory((["@fake/a"], {})), Config())
assert state.callback_handlers == [] and state.is_executing is False and state.inventory.override_data == {}
assert set(state.inventory.hosts) == {"@fake/a"} and state.ops[state.inventory.get_host("@fake/a")] == {}
assert {"current_op_hash", "executing_op_hash", "current_deploy_kwargs", "loop", "noop"} <= set(dir(Host))
assert list(inspect.signature(pop_global_arguments).parameters) == ["state", "host", "kwargs"]
assert list(inspect.signature(generate_env).parameters) == ["config", "value"]
assert 'kwargs["_if"] = old_ifs + new_ifs' in inspect.getsource(Host.deploy)  # lists alone can be joined
"""
    done = subprocess.run([sys.executable, "-c", checks], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_help_needs_no_pyinfra() -> None:
    checks = "import sys, fleethands.cli.main; sys.exit('pyinfra' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", checks], timeout=60, check=False).returncode == 0


def test_a_report_is_made_without_patching_the_standard_library() -> None:
    checks = (
        "import sys, fleethands.rollout.build_report, fleethands.rollout.rollout, gevent.monkey;"
        "sys.exit(gevent.monkey.is_module_patched('socket'))"
    )
    assert subprocess.run([sys.executable, "-c", checks], timeout=60, check=False).returncode == 0


DEPLOY = """
from pyinfra.operations import server

for number in range(3):
    server.shell(name=f"Step {number}", commands=[f"step {number}"])
"""
INVENTORY = """
hosts = [
    ("@fake/quick", {"fake_delay": 0, "fake_delay_jitter": 0}),
    ("@fake/slow", {"fake_delay": 1.5, "fake_delay_jitter": 0}),
    ("@fake/broken", {"fake_delay": 0, "fake_delay_jitter": 0, "fake_responses": {"step 1": {"success": False}}}),
]
"""
RUN = """
import sys
from pathlib import Path

import gevent

from fleethands.ssh.timeouts import Limits
from fleethands.engine.engine import Engine
from pyinfra.api.state import BaseStateCallback

class Seen(BaseStateCallback):
    def operation_host_success(self, state, host, op_hash, retry_count=0):
        (name,) = state.get_op_meta(op_hash).names
        print(host.name.removeprefix("@fake/"), name)

class Silent:
    def __getattr__(self, name):
        return lambda *words, **more: None

engine = Engine.load("inventory.py", Path.cwd(), {"models": ["any"]}, limits=LIMITS)
engine.state.add_callback_handler(Seen())
engine.settings()
engine.connect()
engine.plan()
END
try:
    engine.run(engine.names, Silent())
except KeyboardInterrupt:
    print("ended")
for name in engine.names:
    run, said = engine.host_runs[name], [outcome.failed for outcome in engine.results(name)]
    why = run.problem[0] if run.problem else engine.monitor.lost_connections.get(name, ("",))[0]
    print(name.removeprefix("@fake/"), run.finished, said, why)
engine.close()
"""


def ran(place: Path, limits: str = "Limits()", end: str = "") -> list[str]:
    """
    What a run prints about hosts of the connector @fake, a stand-in that sends nothing and takes a given time.

    + limits, end: programs, the second of which ends the run
    """
    (place / "deploy.py").write_text(DEPLOY)
    (place / "inventory.py").write_text(INVENTORY)
    program = RUN.replace("LIMITS", limits).replace("END", end)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=place, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_host_waits_for_no_other_and_one_that_fails_ends_alone(tmp_path: Path) -> None:
    lines = ran(tmp_path)

    assert [line.rstrip() for line in lines[-3:]] == [
        "broken False [False, True]",
        "quick True [False, False, False]",
        "slow True [False, False, False]",
    ]
    assert lines.index("quick Step 2") < lines.index("slow Step 0")
    assert lines.index("broken Step 0") < lines.index("slow Step 0")
    assert "broken Step 2" not in lines


def test_the_shortcuts_say_what_pyinfra_asks_for() -> None:
    checks = """
import hashlib, sys, types, typing
import paramiko
import pyinfra.api.arguments, pyinfra.api.util, pyinfra.connectors.base
from pyinfra import context
from pyinfra.api import Config, Host, Inventory, State
from pyinfra.context import ctx_host, ctx_state
from fleethands.engine import pyinfra_patches as patches

assert pyinfra.connectors.base.get_type_hints is pyinfra.api.arguments.get_type_hints is typing.get_type_hints
operation = sys.modules["pyinfra.api.operation"]
slow, state = operation.get_operation_order_from_stack, types.SimpleNamespace(current_op_file_number=3)
before = pyinfra.api.arguments.all_global_arguments()

def find_orders():
    return slow(state), patches.find_operation_order(state)

deploy = compile("found = (lambda: find_orders())()", "deploy.py", "exec")
for pyinfra.is_cli in (True, False):
    for state.current_deploy_filename, depth in (("deploy.py", 3), ("other.py", 0), (None, 4)):
        names = {"find_orders": find_orders}
        exec(deploy, names)
        first, second = names["found"]
        assert first == second and len(first) == depth + pyinfra.is_cli, (first, second)
patches.cache_operation_lookup()
assert operation.get_operation_order_from_stack is patches.find_operation_order
assert patches.hash_lines([7, 0, 12]) == pyinfra.api.util.make_hash([7, 0, 12]) != patches.hash_lines([7, 0, 1])
assert operation.make_hash is patches.hash_lines
assert pyinfra.api.arguments.all_global_arguments() == before
assert pyinfra.connectors.base.get_type_hints is not typing.get_type_hints

state, host = State(Inventory((["@fake/a"], {})), Config()), Host("@fake/b", None, ())
patches.read_context_once()
for module in ("pyinfra.api.operation", "pyinfra.api.deploy"):
    found = vars(sys.modules[module])["context"]
    with ctx_state.use(None), ctx_host.use(None):
        assert found.state is context.state and found.host is context.host
    with ctx_state.use(state), ctx_host.use(host):
        assert found.state is state == context.state and found.host is host == context.host

old = [paramiko.packet.compute_hmac, paramiko.util.constant_time_bytes_eq]
patches.authenticate_packets_in_c()
new = [paramiko.packet.compute_hmac, paramiko.util.constant_time_bytes_eq]
for kind in (hashlib.sha1, hashlib.sha256, hashlib.sha512, hashlib.md5):
    (one, same), (other, alike) = old, new
    digest = other(b"key", b"packet", kind)
    assert digest == one(b"key", b"packet", kind)
    assert (alike(digest, digest), alike(digest, digest[:-1] + b"?")) == (same(digest, digest), False) == (True, False)
"""
    done = subprocess.run([sys.executable, "-c", checks], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_global_arguments_are_those_that_pyinfra_finds() -> None:
    checks = """
import pyinfra.api.arguments as arguments
from pyinfra.api import Config, Inventory, State
from pyinfra.api.exceptions import ArgumentTypeError
from fleethands.engine import pyinfra_patches as patches

slow = arguments.pop_global_arguments
groups = {"gpus": (["a"], {"_sudo": True, "_env": {"GROUP": "1"}}), "eu": (["a", "long-name"], {"_chdir": "/srv"})}
state = State(Inventory((["a", "long-name"], {"_retries": 2}), **groups), Config(ENV={"ALL": "2"}))
state.inventory.get_host("a").data._timeout = 7
patches.apply()
assert arguments.pop_global_arguments is patches.pop_global_arguments is not slow
for host in state.inventory:
    padding = host.print_prefix_padding
    patches.init_host(host, state)
    assert host.print_prefix_padding == padding, (host, padding)
    whole = slow(state, host, {"_sudo": False, "_env": {"AROUND": "3"}})[0]  # as a deploy gives them to its operations
    for around in (None, {"_sudo": False, "_env": {"AROUND": "3"}}, whole):
        host.current_deploy_kwargs = around
        for own in ({}, {"name": "x", "_env": {"OWN": "4"}, "mine": 5}, {"_timeout": 9}):
            one, other = dict(own), dict(own)
            assert slow(state, host, one) == patches.pop_global_arguments(state, host, other), (host, around, own)
            assert one == other
    for wrong in (slow, patches.pop_global_arguments):
        for host.current_deploy_kwargs in (None, whole):
            try:
                wrong(state, host, {"_sudo": "yes"})
            except ArgumentTypeError:
                continue
            raise AssertionError("accepts a wrong type")
"""
    done = subprocess.run([sys.executable, "-c", checks], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_a_host_that_takes_too_long_is_given_up_alone(tmp_path: Path) -> None:
    lines = ran(tmp_path, "Limits(host=2.2)")

    assert lines[-1] == "slow False [False] did not finish within 2.2 s, at `Step 1`"
    assert lines[-2].startswith("quick True [False, False, False]")


def test_a_command_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    lines = ran(tmp_path, "Limits(silence=0.7)")

    assert lines[-1] == "slow False [True] the command printed nothing for 700 ms"
    assert lines[-2].startswith("quick True [False, False, False]")


def test_a_run_that_is_told_to_stop_finishes_the_step_in_hand(tmp_path: Path) -> None:
    lines = ran(tmp_path, end="gevent.spawn_later(2.2, engine.stop)")

    assert lines[-1] == "slow False [False, False] interrupted after `Step 1`"
    assert lines[-2].startswith("quick True [False, False, False]")


def test_a_run_that_is_ended_at_once_says_what_it_was_at(tmp_path: Path) -> None:
    lines = ran(tmp_path, end="gevent.spawn_later(2.2, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)")

    assert "ended" in lines
    assert lines[-1] == "slow False [False] interrupted during `Step 1`"
    assert lines[-2].startswith("quick True [False, False, False]")


ASKING = """
from pyinfra.context import host
from pyinfra.facts.server import Command

host.get_fact(Command, "anything", _timeout=TIMEOUT)
"""
PLAN = """
from pathlib import Path

from fleethands.ssh.timeouts import Limits
from fleethands.engine.engine import Engine

engine = Engine.load("inventory.py", Path.cwd(), {"models": ["any"]}, limits=LIMITS)
engine.settings()
engine.connect_and_plan()
for name in engine.names:
    problems = engine.monitor.lost_connections, engine.monitor.probe_failures
    print(name.removeprefix("@fake/"), *(each.get(name, [""])[0] for each in problems))
engine.close()
"""


@pytest.mark.parametrize(
    ("timeout", "limits", "why"),
    [
        ("1", "Limits()", "slow the command did not end within 1 s "),
        ("None", "Limits(host=0.7)", "slow  not read within 700 ms"),
    ],
)
def test_a_host_that_takes_for_ever_to_be_read_is_given_up_alone(
    tmp_path: Path, timeout: str, limits: str, why: str
) -> None:
    (tmp_path / "deploy.py").write_text(ASKING.replace("TIMEOUT", timeout))
    (tmp_path / "inventory.py").write_text(INVENTORY)
    program = PLAN.replace("LIMITS", limits)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stderr == ""
    assert done.stdout.splitlines() == ["broken  ", "quick  ", why]


PATCHED_FIRST = """
import sys
from gevent import monkey
before, patch_all = set(), monkey.patch_all
monkey.patch_all = lambda: (before or before.update(sys.modules), patch_all())  # pyinfra_cli calls it again
from fleethands.cli.main import main
sys.argv = ["fleethands", "plan", "/nonexistent"]
try:
    main()
except SystemExit:
    print("fleethands.cli.run_command" in sys.modules, sorted(before & {"paramiko", "pyinfra.api", "ssl"}))
"""


def test_a_command_patches_the_standard_library_before_anything_uses_it() -> None:
    done = subprocess.run([sys.executable, "-c", PATCHED_FIRST], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "True []\n"


INTERRUPTED_EARLY = """
import importlib, os, signal, sys
import_module = importlib.import_module
def interrupted(name, package=None):
    if name == "fleethands.cli.run_command":
        os.kill(os.getpid(), signal.SIGINT)
    return import_module(name, package)
importlib.import_module = interrupted
from fleethands.cli.main import main
sys.argv = ["fleethands", "plan", "root@box", "--json"]
main()
"""


def test_an_interrupt_of_the_imports_leaves_a_document() -> None:
    program = [sys.executable, "-c", INTERRUPTED_EARLY]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, json.loads(done.stdout)["result"]) == (130, "interrupted"), done.stderr
