"""From an installed wheel, without a checkout and without an inventory: `fleethands apply root@lab-1`."""

from __future__ import annotations

import shlex

import pytest

from tests.lab import observe
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.wheel import Installed

DATA = ("--data", "ollama_version=0.24.0", "--data", "openhands_image=ghcr.io/all-hands-ai/openhands:main")
APPLY = ("fleethands", "apply", "root@lab-1", "--yes", *DATA)
MODELS = ("--data", 'models=["codellama:7b"]')


@pytest.fixture(scope="module")
def user(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    installed = Installed.build(tmp_path_factory.mktemp("wheel"))
    installed.knows(lab)
    return installed


def assert_settled(user: Installed, host: Host) -> None:
    before = observe.identity(host)
    again = user.typed(*APPLY, *MODELS, "--json")
    assert again.code == 0, again.err
    (report,) = again.document["hosts"].values()
    assert (report["status"], report["remote_commands"]) == ("unchanged", 1)
    assert observe.identity(host) == before
    assert list(user.work.iterdir()) == []


def test_a_wheel_heals_a_host_without_an_inventory(user: Installed, converged: Host) -> None:
    converged.run("systemctl stop ollama")

    done = user.typed(*APPLY, *MODELS)

    assert done.code == 0, done.out + done.err
    assert observe.proven(converged)
    assert_settled(user, converged)


@pytest.mark.soak
def test_a_wheel_brings_a_bare_host_to_a_proven_answer(user: Installed, clean: Host) -> None:
    refused = user.typed(*APPLY)

    assert refused.code == 1
    assert 'error: root@lab-1: `models`: expected at least one, such as `["codellama:7b"]`' in refused.err
    hints = [line.removeprefix("hint: ") for line in refused.err.splitlines() if line.startswith("hint: ")]
    command = hints[0].removeprefix("name the models: ")
    assert shlex.split(command)[:3] == ["fleethands", "apply", "root@lab-1"]

    done = user.typed("sh", "-c", command)  # as the hint has it

    assert done.code == 0, done.out + done.err
    assert observe.proven(clean)
    assert_settled(user, clean)
