"""A probe stays right when other people's operations change the host between two tasks of fleethands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from pyinfra.context import ctx_host
from pyinfra.operations import python, server

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.docker import Docker
from fleethands.facts.docker_engine import DockerEngine
from fleethands.facts.files import File
from fleethands.facts.network import Listener
from fleethands.facts.ollama import Ollama
from fleethands.facts.system import Account, Space
from fleethands.facts.units import Unit
from fleethands.tasks import docker, firewall, models, ollama, openhands, preflight, proof
from tests.helpers.machine import Machine, deploy
from tests.hosts import bare

FOREIGN = "a command of someone else"
SERVE, OVERRIDE = "Ollama | Serve this revision", "Ollama | Write the override"
PULL, PROVE = "Models | Pull what is missing", "Proof | Get an answer to a prompt"
PACKAGES, ENGINE = "Docker | Install from the distribution", "Docker | Run the engine"
USER = "OpenHands | Create the workspace's user"


def everything() -> None:
    ollama.serve()
    models.pull()
    openhands.serve()
    proof.prove()


@pytest.fixture(scope="module")
def converged() -> Probe:
    """The host that a plan for a bare one predicts."""
    predicted = deploy(Machine(bare()), everything, run=False).predicted
    assert predicted
    return predicted


def foreign(command: str = FOREIGN) -> None:
    server.shell(name="Step of someone else", commands=[command])


def test_a_run_without_changes_reads_a_host_once(converged: Probe) -> None:
    machine = Machine(converged)

    done = deploy(machine, everything)

    assert (done.planned, done.executed) == ([], [])
    assert (machine.probes, machine.commands) == (1, [])


def test_operations_of_others_without_a_change_cost_no_probe(converged: Probe) -> None:
    machine = Machine(converged)

    def between() -> None:
        ollama.serve()
        server.shell(name="Skipped", commands=[FOREIGN], _if=lambda: False)
        everything()

    assert deploy(machine, between, plan=False).executed == []
    assert (machine.probes, machine.commands) == (1, [])


def stopped(probe: Probe) -> Probe:
    unit = replace(probe.units[paths.OLLAMA_SERVICE], active="inactive", sub="dead", pid=0)
    return probe.replace(process=None, ollama=Ollama(), units={**probe.units, paths.OLLAMA_SERVICE: unit})


def edited(probe: Probe) -> Probe:
    return probe.with_file(paths.OLLAMA_OVERRIDE, File("file", "0644", owner="root:root", content=b"[Service]\n"))


@pytest.mark.parametrize("plan", [True, False])
@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (stopped, [SERVE, PROVE]),
        (edited, [OVERRIDE, PROVE]),
        (lambda probe: probe.replace(models={}), [PULL, PROVE]),
        (lambda probe: probe, [PROVE]),
    ],
    ids=["stops Ollama", "edits the override", "removes the models", "changes nothing that is read"],
)
def test_what_others_change_between_two_tasks_is_repaired(
    converged: Probe, effect: Callable[[Probe], Probe], expected: list[str], plan: bool
) -> None:
    machine = Machine(converged, {FOREIGN: effect})

    def between() -> None:
        firewall.close()
        foreign()
        everything()

    done = deploy(machine, between, plan=plan)

    assert done.planned == []  # what they will change is not known yet
    assert [name for name in done.executed if name in expected] == expected, done.executed
    assert done.executed[-1] == PROVE


def test_what_is_undone_after_its_task_fails_the_proof_at_least(converged: Probe) -> None:
    machine = Machine(converged, {FOREIGN: stopped})

    def late() -> None:
        everything_but_the_proof()
        foreign()
        proof.prove()

    assert deploy(machine, late).executed == [PROVE]


def everything_but_the_proof() -> None:
    ollama.serve()
    models.pull()
    openhands.serve()


def with_docker_ce(probe: Probe) -> Probe:
    engine = DockerEngine("28.0", unit="docker.service", enabled="enabled", room=Space(100 << 20, True, "1"))
    unit = Unit("loaded", "active", "running", "enabled", 5, False, (), "", 0, "success")
    packages = probe.packages | {"docker-ce", "ca-certificates", "curl", "nftables", "zstd", "iptables"}
    return probe.replace(
        packages=packages,
        docker=Docker(True, "28.0", engine=engine),
        units={**probe.units, paths.DOCKER_SERVICE: unit},
        firewall=replace(probe.firewall, installed=True),
    )


def test_an_engine_that_others_install_is_used() -> None:
    machine = Machine(bare(), {FOREIGN: with_docker_ce})

    def own_engine() -> None:
        preflight.check()
        foreign()
        docker.install()

    done = deploy(machine, own_engine)

    assert {PACKAGES, ENGINE} <= {*done.planned}
    assert done.executed == []


def test_a_cause_that_others_remove_refuses_the_plan_and_not_the_run(converged: Probe) -> None:
    taken = bare().replace(sockets=(Listener(3000, "0.0.0.0", "nginx", 77),))
    machine = Machine(taken, {FOREIGN: lambda probe: probe.replace(sockets=())})

    def own_cleanup() -> None:
        foreign()
        docker.install()

    done = deploy(machine, own_cleanup)

    assert done.planned == ["Preflight | Check this host"]
    assert done.executed == [PACKAGES, ENGINE]


def test_an_account_that_others_create_is_used(converged: Probe) -> None:
    def created(probe: Probe) -> Probe:
        users = {**probe.accounts.users, "agents": Account(2000, 2000, "/home/agents", frozenset())}
        return probe.replace(accounts=replace(probe.accounts, users=users))

    machine = Machine(converged, {FOREIGN: created})

    def own_account() -> None:
        models.pull()
        foreign()
        openhands.serve()

    done = deploy(machine, own_account, openhands_user="agents")

    assert USER in done.planned
    assert USER not in done.executed


def test_files_are_rendered_again_for_an_account_that_others_create(converged: Probe) -> None:
    """Ollama's unit depends on the host: it was rendered when the plan was made."""

    def moved(probe: Probe) -> Probe:
        return probe.replace(directories=replace(probe.directories, home="/srv/ollama-home"))

    machine = Machine(bare(), {FOREIGN: moved})

    def own_home() -> None:
        firewall.close()
        foreign()
        ollama.serve()

    deploy(machine, own_home)

    assert any("/srv/ollama-home" in command for command in machine.texts)


def test_inside_a_python_call_each_operation_reads_the_host(converged: Probe) -> None:
    """A function may send commands by itself, which pyinfra's state does not have."""
    machine = Machine(converged, {FOREIGN: lambda probe: probe.replace(models={})})

    def callback() -> None:
        ctx_host.get().run_shell_command(FOREIGN)
        models.pull()

    def deployed() -> None:
        ollama.serve()
        python.call(name="Call", function=callback)

    assert PULL in deploy(machine, deployed, plan=False).executed
