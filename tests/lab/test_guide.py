"""The guide, end to end: from a bare host to an answered prompt, and nothing on the second run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.command_words import commands
from tests.helpers.pages import blocks
from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.shell import run

FIRST_RUN = [
    "Firewall | Write the rules",
    "Firewall | Write the watcher",
    "Firewall | Write the unit",
    "Firewall | Load the rules",
    "Ollama | Create the service user",
    "Ollama | Install the pinned release",
    "Ollama | Write the unit",
    "Ollama | Write the override",
    "Ollama | Serve this revision",
    "Models | Pull what is missing",
    "OpenHands | Create the workspace's user",
    "OpenHands | Create the workspace",
    "OpenHands | Create the state directory",
    "OpenHands | Run the container",
    "OpenHands | Choose the model",
    "Proof | Get an answer to a prompt",
]


@pytest.mark.parametrize("name", ["lab-1", "lab-3"], ids=["trixie", "bookworm"])
def test_a_clean_host_is_brought_to_a_proven_answer(lab: Lab, name: str) -> None:
    lab.internet.clear_faults()
    host = lab[name]
    host.restore("clean")

    run = fleet.apply(name)

    assert run.code == 0, run.said
    assert run.changed(name) == FIRST_RUN
    assert observe.proven(host), observe.proof(host)
    assert observe.leftovers(host) == []

    before = observe.identity(host)
    again = fleet.apply(name)

    assert again.code == 0, again.said
    assert again.changed(name) == []
    assert observe.identity(host) == before


def test_the_guides_own_commands_succeed_on_the_host(converged: Host) -> None:
    assert "codellama:7b" in converged.run("ollama list").stdout
    assert observe.streamed_tokens(converged) > 1
    assert converged.run("curl -fsS localhost:11434/api/version").stdout == '{"version":"0.24.0"}'
    assert "openhands-app" in converged.run("docker ps").stdout
    inside = converged.run("docker exec openhands-app curl -fsS http://host.docker.internal:11434/api/tags").stdout
    assert '"codellama:7b"' in inside


def test_ollama_runs_with_both_variables_and_its_own_user(converged: Host) -> None:
    variables = observe.environment(converged)

    assert variables["OLLAMA_HOST"] == "0.0.0.0:11434"
    assert variables["OLLAMA_ORIGINS"] == "*"
    assert converged.run("ps -o user= -p $(systemctl show ollama -p MainPID --value)").stdout.strip() == "ollama"
    assert converged.run("stat -c %U:%G $(readlink -f /usr/local/bin/ollama)").stdout.strip() == "root:root"


def test_the_container_runs_as_the_guide_says(converged: Host) -> None:
    shown = converged.run(
        "docker inspect openhands-app --format "
        "'{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.ExtraHosts}} {{.HostConfig.Binds}} {{.Config.Tty}}'"
    ).stdout
    user = converged.run("id -u openhands").stdout.strip()

    assert "unless-stopped [host.docker.internal:host-gateway]" in shown
    assert "/opt/openhands/workspace:/opt/workspace_base" in shown
    assert "/var/run/docker.sock:/var/run/docker.sock" in shown
    assert shown.rstrip().endswith("false")
    variables = converged.run("docker exec openhands-app env").stdout
    assert "LLM_MODEL=openai/codellama:7b" in variables
    assert f"SANDBOX_USER_ID={user}" in variables
    assert converged.run("stat -c %u /opt/openhands/workspace").stdout.strip() == user


@pytest.mark.soak  # test_plan.py has a sample
def test_a_stopped_ollama_is_started_and_nothing_else(lab: Lab, converged: Host, converged_state: str) -> None:
    lab["lab-2"].restore(converged_state)
    container, other = observe.identity(converged).container, observe.identity(lab["lab-2"])
    converged.run("systemctl stop ollama")

    run = fleet.apply("lab-1", "lab-2")

    assert run.code == 0, run.said
    assert run.changed("lab-1") == ["Ollama | Serve this revision", "Proof | Get an answer to a prompt"]
    assert run.changed("lab-2") == []
    assert observe.proven(converged)
    assert observe.identity(converged).container == container
    assert observe.identity(lab["lab-2"]) == other
    assert fleet.apply("lab-1", "lab-2").changed("lab-1") == []


def test_a_changed_setting_restarts_only_what_reads_it(converged: Host) -> None:
    container = observe.identity(converged).container

    run = fleet.apply("lab-1", ollama_keep_alive="30m")

    assert run.code == 0, run.said
    assert run.changed("lab-1") == [
        "Ollama | Write the override",
        "Ollama | Serve this revision",
        "Proof | Get an answer to a prompt",
    ]
    assert observe.environment(converged)["OLLAMA_KEEP_ALIVE"] == "30m"
    assert observe.identity(converged).container == container
    assert fleet.apply("lab-1", ollama_keep_alive="30m").changed("lab-1") == []


def test_a_dry_run_on_a_clean_host_foresees_everything_and_changes_nothing(clean: Host) -> None:
    before = observe.listing(clean)

    run = fleet.plan("lab-1")

    assert run.code == 0, run.said
    assert run.planned("lab-1") == FIRST_RUN
    assert observe.listing(clean) == before


def test_the_ports_are_closed_from_outside(converged: Host) -> None:
    for address in (converged.address, converged.address6):
        assert observe.reachable(address, 22)
        assert not observe.reachable(address, 11434)
        assert not observe.reachable(address, 3000)


@pytest.mark.soak  # test_firewall.py has a sample
def test_only_a_named_network_reaches_what_is_opened(lab: Lab, converged: Host) -> None:
    opened: dict[str, Any] = {"openhands_bind": "0.0.0.0"}
    allowed: dict[str, Any] = {**opened, "allow_from": [f"{lab.gateway}/32"]}

    run = fleet.apply("lab-1", **opened)

    assert run.code == 0, run.said
    assert not observe.reachable(converged.address, 3000)
    assert not observe.reachable(converged.address6, 3000)

    run = fleet.apply("lab-1", **allowed)

    assert run.code == 0, run.said
    assert observe.reachable(converged.address, 3000)
    assert observe.reachable(converged.address, 11434)
    assert not observe.reachable(converged.address6, 11434)
    assert fleet.apply("lab-1", **allowed).changed("lab-1") == []


def test_models_lie_where_they_are_wanted(converged: Host) -> None:
    place: dict[str, Any] = {"ollama_models_dir": "/srv/all models, 100%"}

    run = fleet.apply("lab-1", **place)

    assert run.code == 0, run.said
    assert observe.proven(converged)
    assert "codellama" in converged.run("find '/srv/all models, 100%/manifests' -type d").stdout
    assert fleet.apply("lab-1", **place).changed("lab-1") == []


def test_a_user_with_passwordless_sudo_is_as_good_as_root(converged: Host) -> None:
    converged.run("systemctl stop ollama")

    run = fleet.apply("lab-1", ssh_user="admin")

    assert run.code == 0, run.said
    assert observe.proven(converged)
    assert fleet.apply("lab-1", ssh_user="admin").changed("lab-1") == []


def test_openhands_off_leaves_the_workspace(converged: Host) -> None:
    converged.run("echo mine > /opt/openhands/workspace/notes")

    run = fleet.apply("lab-1", openhands_flavor="off")

    assert run.code == 0, run.said
    assert "OpenHands | Remove the container" in run.changed("lab-1")
    assert converged.run("docker ps -aq").stdout == ""
    assert converged.run("cat /opt/openhands/workspace/notes").stdout == "mine\n"
    assert fleet.apply("lab-1", openhands_flavor="off").changed("lab-1") == []


def test_nobody_sees_a_secret_or_a_build_machine(converged: Host) -> None:
    assert observe.leftovers(converged) == []
    said = converged.run(
        "grep -rIlE '/root/|/home/' /etc/fleethands /etc/systemd/system/ollama* /opt/openhands", check=False
    )
    assert said.stdout == ""


def test_every_command_of_the_page_next_to_the_guide_succeeds(converged: Host) -> None:
    """docs/guide-step-by-step.md: what shows the result of each step, except for a build, which needs its own host."""
    page = fleet.ROOT / "docs/guide-step-by-step.md"
    typed = [words[1:] for block in blocks(page) if block.language == "sh" for words in commands(block.text)]
    readers = [
        words for words in typed if words[0] in {"exec", "models", "status", "verify"} and "openhands" not in words
    ]

    assert len(readers) > 8
    for verb, *words in readers:
        line = [str(fleet.FLEETHANDS), verb, "inventory/lab.py", "--hosts", "lab-1", *words]
        done = run(*line, cwd=fleet.ROOT, check=False, timeout=120)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
