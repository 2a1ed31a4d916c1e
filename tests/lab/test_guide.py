"""The guide, end to end: from a bare host to an answered prompt, and nothing on the second run."""

from __future__ import annotations

from tests.lab import fleet, observe
from tests.lab.host import Host

FIRST_RUN = [
    "Firewall | Write the rules",
    "Firewall | Write the unit",
    "Firewall | Load the rules",
    "Ollama | Create the service user",
    "Ollama | Install the pinned release",
    "Ollama | Write the unit",
    "Ollama | Write the override",
    "Ollama | Serve this revision",
    "Models | Pull what is missing",
    "OpenHands | Create the workspace's user",
    "OpenHands | Make the workspace",
    "OpenHands | Make the state directory",
    "OpenHands | Choose the model",
    "OpenHands | Run the container",
    "Proof | Get an answer to a prompt",
]


def test_a_clean_host_is_brought_to_a_proven_answer(clean: Host) -> None:
    run = fleet.apply("lab-1")

    assert run.code == 0, run.said
    assert run.changed("lab-1") == FIRST_RUN
    assert observe.proven(clean), observe.proof(clean)
    assert observe.leftovers(clean) == []

    before = observe.identity(clean)
    again = fleet.apply("lab-1")

    assert again.code == 0, again.said
    assert again.changed("lab-1") == []
    assert observe.identity(clean) == before


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


def test_a_stopped_ollama_is_started_and_nothing_else(converged: Host) -> None:
    container = observe.identity(converged).container
    converged.run("systemctl stop ollama")

    run = fleet.apply("lab-1")

    assert run.code == 0, run.said
    assert run.changed("lab-1") == ["Ollama | Serve this revision", "Proof | Get an answer to a prompt"]
    assert observe.proven(converged)
    assert observe.identity(converged).container == container
    assert fleet.apply("lab-1").changed("lab-1") == []


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


def test_nobody_sees_a_secret_or_a_build_machine(converged: Host) -> None:
    assert observe.leftovers(converged) == []
    said = converged.run(
        "grep -rIlE '/root/|/home/' /etc/fleethands /etc/systemd/system/ollama* /opt/openhands", check=False
    )
    assert said.stdout == ""
