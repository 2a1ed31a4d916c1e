"""What fleethands put on a host goes again, and nothing else does."""

from __future__ import annotations

import pytest

from tests.lab import fleet, observe
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.lab import Lab

MINE = "/opt/mine /etc/systemd/system/ollama.service.d/10-mine.conf /var/lib/mine"


def listing(host: Host) -> list[str]:
    """Every file and Docker object, without the copies that useradd keeps of the accounts before it."""
    kept = ("/etc/passwd- ", "/etc/group- ", "/etc/shadow- ", "/etc/gshadow- ", "/etc/subuid- ", "/etc/subgid- ")
    return [line for line in observe.listing(host).splitlines() if not line.startswith(kept)]


def test_a_host_is_as_it_was_before(clean: Host) -> None:
    clean.run(f"for each in {MINE}; do mkdir -p ${{each%/*}}; touch $each; done")
    before = listing(clean)
    assert fleet.apply("lab-1").code == 0

    code, done = fleethands("uninstall", "--models", "--workspaces")

    assert code == 0, done
    assert listing(clean) == before
    code, again = fleethands("uninstall", "--models", "--workspaces")
    assert (code, changes(again, "lab-1")) == (0, [])


@pytest.mark.soak
def test_models_and_workspace_stay_unless_they_are_named(lab: Lab, converged: Host) -> None:
    converged.run("echo precious > /opt/openhands/workspace/notes")

    code, done = fleethands("uninstall")

    assert code == 0, done
    assert converged.run("systemctl is-active ollama", check=False).stdout != "active\n"
    assert converged.run("docker ps -aq").stdout == ""
    code, again = fleethands("uninstall")
    assert (code, changes(again, "lab-1")) == (0, [])
    asked = len(lab.internet.requests())
    assert fleet.apply("lab-1").code == 0
    assert observe.proven(converged)
    assert converged.run("cat /opt/openhands/workspace/notes").stdout == "precious\n"
    assert not [each for each in lab.internet.requests()[asked:] if "/blobs/" in str(each) and "codellama" in str(each)]


@pytest.mark.soak
def test_what_was_there_before_stays(clean: Host) -> None:
    clean.run("useradd --system --home-dir /usr/share/ollama --create-home ollama")
    assert fleet.apply("lab-1").code == 0

    code, _ = fleethands("uninstall", "--models", "--workspaces")

    assert code == 0
    assert clean.run("id -un ollama").stdout == "ollama\n"
    assert clean.run("ls /usr/share/ollama/.ollama/models/manifests").returncode == 0
