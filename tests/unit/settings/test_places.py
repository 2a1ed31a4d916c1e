"""Where models and workspaces may lie, and as whom an agent may work."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

from fleethands.facts.system import Account, Accounts
from fleethands.operations.core.decision import Refused
from fleethands.operations.system import system
from fleethands.settings import HostSettings, SettingsError
from fleethands.settings.generations import GENERATIONS
from fleethands.settings.schema.describe import describe
from fleethands.settings.validation.places import STATES
from tests.hosts import bare, declared

OWN = ("/data", "/data/x", "/mnt/big", "/media/disk/x", "/opt/mine", "/srv/a")
MIGHTY = ("docker", "sudo", "disk", "shadow")
BOTH = ("ollama_models_dir", "openhands_workspace")
EXAMPLES = dict(zip(BOTH, ("/srv/ollama", "/srv/workspace"), strict=True))
SYSTEM, OURS = "which belongs to the system", "which fleethands keeps for itself"
HOME = "where home directories are: their owner could replace it with a symlink"
EVERYBODY, PACKAGES = "where every account may write", "where packages keep their files"
REFUSED = {
    **dict.fromkeys(("/usr/bin", "/etc/ssh", "/root/.ssh", "/root", "/bin/x", "/boot", "/dev/x", "/lib/x"), SYSTEM),
    **dict.fromkeys(("/proc/1", "/sys"), SYSTEM),
    **dict.fromkeys(("/run/x", "/var/run/x", "/var/log/x", "/var/cache/apt", "/usr/local/x", "/lost+found"), SYSTEM),
    **dict.fromkeys(("/srv", "/opt", "/mnt", "/media", "/var", "//etc", "/./usr/"), SYSTEM),
    **dict.fromkeys(("/var/lib/fleethands", "/etc/fleethands/x", "/opt/ollama", "/opt/ollama/0.24.0"), OURS),
    **dict.fromkeys(("/opt/openhands", "/opt/openhands/state", "/opt/openhands-source/x"), OURS),
    **dict.fromkeys(("/opt/openhands/state-v1/x", "/opt/openhands/state-source-v0"), OURS),
    **dict.fromkeys(("/home", "/home/dev", "/home/dev/models"), HOME),
    **dict.fromkeys(("/var/lib/docker", "/var/lib/docker/x", "/opt/containerd"), "which belongs to Docker"),
    **dict.fromkeys(("/tmp/x", "/var/tmp/x", "/dev/shm/x"), EVERYBODY),
    **dict.fromkeys(("/var/lib", "/var/lib/postgresql"), PACKAGES),
}


def problem(**data: Any) -> str:
    """The one thing that is wrong with a host's data."""
    with pytest.raises(SettingsError) as caught:
        declared(**data)
    (found,) = caught.value.mistakes
    return f"{found.path}: {found.problem}"


@pytest.mark.parametrize("key", BOTH)
@pytest.mark.parametrize(("path", "reason"), REFUSED.items())
def test_a_dangerous_place_is_refused_with_the_reason_and_an_example(key: str, path: str, reason: str) -> None:
    said = problem(**{key: path})

    assert said == f"{key}: expected a directory of its own, such as `{EXAMPLES[key]}`, got `{path}`, {reason}"


@pytest.mark.parametrize(
    ("key", "path", "reason"),
    [
        ("ollama_models_dir", "/usr/share/ollama", "which is the home of the user ollama"),
        ("ollama_models_dir", "/opt/openhands/workspace", OURS),
        ("ollama_models_dir", "/opt/openhands/models", OURS),
        ("openhands_workspace", "/usr/share/ollama/.ollama/models", SYSTEM),
        ("openhands_workspace", "/var/lib/ollama", PACKAGES),
    ],
)
def test_a_place_of_the_other_setting_is_refused(key: str, path: str, reason: str) -> None:
    assert problem(**{key: path}).endswith(f"got `{path}`, {reason}")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        *((key, path) for key in BOTH for path in OWN),
        *((key, path) for key, path in EXAMPLES.items()),
        ("ollama_models_dir", "/usr/share/ollama/.ollama/models"),
        ("ollama_models_dir", "/var/lib/ollama/models"),
        ("ollama_models_dir", str(describe(HostSettings.model_fields["ollama_models_dir"]).example)),
        ("openhands_workspace", "/opt/openhands/workspace"),
        ("openhands_workspace", "/opt/openhands/projects/one"),
        ("openhands_workspace", "/var/lib/openhands"),
        ("openhands_workspace", str(describe(HostSettings.model_fields["openhands_workspace"]).example)),
    ],
)
def test_a_directory_of_its_own_is_accepted(key: str, path: str) -> None:
    assert getattr(declared(**{key: path}), key) == PurePosixPath(path)


def test_every_state_directory_is_known() -> None:
    assert set(STATES) == {each.home for each in GENERATIONS.values()}


@pytest.mark.parametrize(
    ("models", "workspace"), [("/data", "/data"), ("/data/ws/models", "/data/ws"), ("/data", "/data/models/ws")]
)
def test_an_agent_may_not_work_among_the_models(models: str, workspace: str) -> None:
    data: dict[str, Any] = {"ollama_models_dir": models, "openhands_workspace": workspace}

    assert problem(**data) == (
        "openhands_workspace: expected a directory apart from `ollama_models_dir`, such as `/srv/workspace`, "
        f"got `{workspace}`: an agent could replace the models in `{models}`"
    )
    assert declared(**data, openhands_flavor="off")
    assert declared(**{**data, "openhands_workspace": f"{models}-ws"})


@pytest.mark.parametrize(
    ("path", "form", "note"),
    [
        ("/srv/a\\", "no `\\` at its end", "which joins the next line of the unit to it"),
        ("/srv/a\\/", "no `\\` at its end", "which joins the next line of the unit to it"),
        ("/srv/a ", "no space at its end", "which systemd drops"),
        ("/srv/a\u00a0", "no space at its end", "which systemd drops"),
    ],
)
def test_what_systemd_would_not_keep_of_a_workspace_is_refused(path: str, form: str, note: str) -> None:
    said = f"openhands_workspace: expected {form}, such as `/srv/workspace`, got `"
    assert problem(openhands_workspace=path).startswith(said)
    assert problem(openhands_workspace=path).endswith(f", {note}")


@pytest.mark.parametrize("key", BOTH)
def test_a_path_object_is_read_as_its_text_is(key: str) -> None:
    assert "one line without control characters" in problem(**{key: PurePosixPath("/srv/a\nExecStartPre=+/bin/x")})
    assert "which belongs to the system" in problem(**{key: PurePosixPath("/etc/ssh")})


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("root", "as what an agent does would be done as root"),
        ("ollama", "which serves the models: an agent could replace them"),
        *((user, "whose group can become root, or read what root reads") for user in MIGHTY),
        *((user, "which belongs to the system") for user in ("www-data", "nobody", "sshd", "systemd-network", "_apt")),
    ],
)
def test_an_agent_may_not_work_as_an_account_of_the_system(user: str, reason: str) -> None:
    assert problem(openhands_user=user).endswith(f"got `{user}`, {reason}")


def test_root_by_another_name_is_refused_on_its_host() -> None:
    settings = declared(openhands_user="toor")
    accounts = Accounts({"toor": Account(0, 0, "/root", frozenset())}, frozenset())

    seen = bare(settings).replace(accounts=accounts)

    decision = system.create_user.decide(settings, seen, user="toor", home="/opt/openhands")

    assert isinstance(decision, Refused)
    assert decision.reason == "the user toor is root by another name"


@pytest.mark.parametrize("user", ["openhands", "dev", "agent-1", "alice"])
def test_an_agent_may_work_as_a_person(user: str) -> None:
    assert declared(openhands_user=user).openhands_user == user
