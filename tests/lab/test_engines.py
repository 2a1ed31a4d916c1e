"""A Docker that is there already is used; it is never replaced, and what runs in it never stops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import engines
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET

pytestmark = pytest.mark.soak  # packages come from Debian, and are packed anew


@pytest.fixture
def without_docker(lab: Lab) -> Iterator[Host]:
    """A Debian without Docker, with the packages of the world in reach."""
    lab.internet.clear_faults()
    lab.up({"lab-4": "trixie-nodocker"})
    host = lab["lab-4"]
    with host.outward():
        yield host
    lab.trim(3)


def test_dockers_own_packages_are_used_and_nothing_in_them_stops(without_docker: Host) -> None:
    engines.docker_ce(without_docker)
    ran, installed = engines.containers(without_docker), engines.packages(without_docker)

    code, done = fleethands("apply", hosts="lab-4", **QUIET)
    assert code == 0, done
    code, again = fleethands("plan", hosts="lab-4", **QUIET)

    assert (code, changes(again, "lab-4"), again["hosts"]["lab-4"]["remote_commands"]) == (0, [], 1)
    assert engines.containers(without_docker) == ran
    assert engines.packages(without_docker) >= installed
    assert "docker.io" not in str(engines.packages(without_docker))


def test_a_package_that_apt_would_remove_is_named_and_stays(without_docker: Host) -> None:
    """An engine of a name that nobody knows, stopped and without its command: apt would replace it."""
    engines.docker_ce(without_docker)
    without_docker.run("systemctl stop docker.socket docker; dpkg-divert --quiet --rename --add /usr/bin/docker")
    without_docker.run("sed -i 's/^Package: docker-ce$/Package: docker-engine/' /var/lib/dpkg/status")
    installed = engines.packages(without_docker)

    code, done = fleethands("apply", hosts="lab-4", **QUIET)

    assert code == 1
    assert "apt would remove" in done["hosts"]["lab-4"]["reason"]
    assert "docker-engine" in done["hosts"]["lab-4"]["reason"]
    assert engines.packages(without_docker) == installed


def test_a_list_of_packages_that_somebody_locks_is_waited_for(without_docker: Host) -> None:
    lock = "import fcntl, time; f = open('/var/lib/apt/lists/lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(20)"
    without_docker.run("apt-get -q update && apt-get -q -y install --no-install-recommends python3", timeout=180)
    without_docker.run(f'systemd-run --quiet --unit holds-the-lists python3 -c "{lock}"')

    code, done = fleethands("apply", hosts="lab-4", **QUIET)

    assert code == 0, done
