"""Existing Docker engines, in addition to tests/lab/hosts.yaml: what is read, and what a boot changes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.lab.asking import probed
from tests.lab.fleet import changes, fleethands, trouble
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.zoo.state import recipes


@pytest.fixture
def without_docker(lab: Lab) -> Iterator[Host]:
    """A Debian without Docker, with the packages of the world in reach."""
    lab.internet.clear_faults()
    lab.up({"lab-4": "trixie-nodocker"})
    host = lab["lab-4"]
    with host.outward():
        yield host
    lab.trim(3)


def configured(host: Host, **settings: object) -> None:
    """Docker starts again, by a daemon.json."""
    host.run("mkdir -p /etc/docker; cat > /etc/docker/daemon.json", stdin=json.dumps(settings))
    host.run("systemctl reset-failed; systemctl restart docker")  # it may start three times a minute


def images(host: Host) -> str | None:
    """Where Docker keeps its images, as a probe says it."""
    return probed(host).docker.engine.images


@pytest.mark.soak
def test_where_docker_keeps_its_images(clean: Host) -> None:
    clean.run("systemctl stop docker.socket docker")
    assert images(clean) == "/var/lib/docker"
    configured(clean, **{"data-root": "/srv/docker"})
    assert images(clean) == "/srv/docker"
    clean.run("systemctl stop docker.socket docker")
    assert images(clean) == "/srv/docker"  # from its configuration, while the daemon is down
    configured(clean, features={"containerd-snapshotter": True})
    assert images(clean) == "/var/lib/containerd"


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_an_engine_of_another_unit_is_used_after_a_boot_too(clean: Host) -> None:
    clean.run("sh -s", stdin=recipes("renamed-engine"))
    clean.run("systemctl enable --quiet my-docker")

    code, done = fleethands("apply", timeout=500)
    assert code == 0, trouble(done)
    clean.reboot()
    clean.run("until curl -fs -o /dev/null localhost:3000/health; do sleep 0.5; done", timeout=240)
    code, again = fleethands("plan")

    assert (code, changes(again)) == (0, [])
    installed = clean.run("dpkg-query -W -f '${db:Status-Status} ${Package}\n'").stdout.splitlines()
    assert "installed docker.io" not in installed
    assert clean.run("systemctl is-active docker.service", check=False).stdout != "active\n"


@pytest.mark.soak
def test_every_package_is_in_the_plan_which_leaves_the_files_of_apt_alone(without_docker: Host) -> None:
    without_docker.run("apt-get -q update", timeout=180)
    files = without_docker.run("ls -lRc /var/lib/apt /var/cache/apt").stdout

    _, document = fleethands("plan", hosts="lab-4")

    (row,) = (
        row for row in document["hosts"]["lab-4"]["changes"] if row["operation"] == "Install from the distribution"
    )
    assert {"docker.io", "docker-cli", "containerd"} <= set(row["to"].split())
    assert "apt downloads " in row["consequence"]
    assert without_docker.run("ls -lRc /var/lib/apt /var/cache/apt").stdout == files
