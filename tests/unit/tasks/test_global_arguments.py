"""pyinfra's global arguments at a task: each works, or is refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from pyinfra.api.exceptions import OperationValueError
from pyinfra.context import ctx_host

from fleethands.tasks import firewall, preflight, proof
from tests.helpers.machine import Machine, deploy
from tests.hosts import bare


@pytest.mark.parametrize(
    "arguments",
    [
        *({"_run_once": True}, {"_ignore_errors": True}, {"_continue_on_error": True}, {"_success_exit_codes": [0, 1]}),
        *(
            {"_stdin": "x"},
            {"_get_pty": True},
            {"_env": {"OLLAMA_DEBUG": "1"}},
            {"_sudo": True, "_sudo_user": "agents"},
        ),
        *({"_su_user": "agents"}, {"_doas": True, "_doas_user": "agents"}, {"name": "Mine"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("around", [False, True])
def test_what_cannot_work_is_refused(arguments: dict[str, Any], around: bool) -> None:
    if around and "name" in arguments:
        pytest.skip("a name is given to one operation")

    def deployed() -> None:
        if around:
            with ctx_host.get().arguments(**arguments):
                preflight.check()
        else:
            preflight.check(**arguments)

    (*_, key) = arguments
    machine = Machine(bare())

    with pytest.raises(OperationValueError, match=f"^`preflight.check` does not take `{key}`: "):
        deploy(machine, deployed)

    assert machine.probes == 0


@pytest.mark.parametrize(
    "arguments",
    [
        *({"_sudo": True}, {"_sudo": True, "_sudo_user": "root"}, {"_serial": True}, {"_parallel": 1}, {"_if": []}),
        *({"_if": lambda: True}, {"_retries": 1}, {"_timeout": 900}, {"_chdir": "/tmp"}, {"_env": {}}),
        *({"_shell_executable": "bash"}, {"_temp_dir": "/var/tmp"}, {"_success_exit_codes": [0]}),
    ],
    ids=lambda arguments: next(iter(arguments)),
)
def test_the_others_work(arguments: dict[str, Any]) -> None:
    machine = Machine(bare())

    done = deploy(machine, lambda: firewall.close(**arguments))

    assert "Firewall | Load the rules" in done.executed
    assert done.executed == done.planned


def test_a_false_condition_runs_nothing() -> None:
    machine = Machine(bare())

    done = deploy(machine, lambda: firewall.close(_if=lambda: False))

    assert (done.executed, machine.commands) == ([], [])


def test_the_failure_of_a_proof_may_be_ignored() -> None:
    assert deploy(Machine(bare()), lambda: proof.prove(_ignore_errors=True)).executed == [
        "Proof | Get an answer to a prompt"
    ]


def test_what_host_data_and_configuration_give_to_every_operation_is_no_mistake() -> None:
    assert deploy(Machine(bare()), preflight.check, _env={"http_proxy": "http://proxy:3128"}, _sudo=True).operations
    with pytest.raises(OperationValueError, match="does not take `_sudo_user`"):
        deploy(Machine(bare()), preflight.check, _sudo_user="agents")
