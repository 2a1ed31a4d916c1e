"""A Docker that is there already is used or refused in words; it is never replaced, and what runs in it never stops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import engines
from tests.lab.asking import probed
from tests.lab.fleet import changes, fleethands, trouble
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET


@pytest.fixture
def without_docker(lab: Lab) -> Iterator[Host]:
    """A Debian without Docker, with the packages of the world in reach."""
    lab.internet.clear_faults()
    lab.up({"lab-4": "trixie-nodocker"})
    host = lab["lab-4"]
    with host.outward():
        yield host
    lab.trim(3)


def said(host: Host) -> str:
    """Status, reason and hints that the plan has of a host, and how each change of Docker's is put."""
    _, document = fleethands("plan", hosts=host.name)
    told = document["hosts"][host.name]
    docker = [change for change in told["changes"] if change["task"] == "Docker"]
    rows = [f"{each['from']} -> {each['to']}; {each['consequence']}" for each in docker]
    return "\n".join([told["status"], told["reason"], *told["hints"], *rows, *told["notes"]])


def hint(text: str, begins: str) -> str:
    """The command of the hint that begins so, to be typed on the host."""
    (line,) = (line for line in text.splitlines() if line.startswith(begins))
    return line.partition("on the host: ")[2]


def test_docker_that_a_person_switched_off_is_named_and_left(clean: Host) -> None:
    clean.run("systemctl disable --quiet --now docker.service docker.socket; systemctl mask --quiet docker.service")

    told = said(clean)

    assert told.startswith("refused\ndocker.service is masked on this host\n")
    assert clean.run("systemctl is-active docker.service docker.socket", check=False).stdout.split() == ["inactive"] * 2
    clean.run(hint(told, "if Docker may run"))
    told = said(clean)
    assert told.startswith("pending\n")
    assert "inactive, disabled at boot -> active, enabled at boot" in told


@pytest.mark.soak
def test_room_is_asked_where_docker_keeps_its_images(clean: Host) -> None:
    small, big = "size=64m", "size=6g"
    for settings, images in (
        ({"data-root": "/srv/docker"}, "/srv/docker"),
        ({"features": {"containerd-snapshotter": True}}, "/var/lib/containerd"),
    ):
        clean.run(
            "systemctl stop docker.socket docker; umount -q /srv/docker /var/lib/docker /var/lib/containerd",
            check=False,
        )
        clean.run("mkdir -p /srv/docker; systemctl stop containerd")
        clean.run(f"mount -t tmpfs -o {small} tmpfs {images}; systemctl start containerd")
        engines.configured(clean, **settings)
        assert probed(clean).docker.engine.images == images
        assert f"refused\n{images} has " in said(clean)

        clean.run("systemctl stop docker.socket docker containerd")
        clean.run(
            f"umount {images}; mount -t tmpfs -o {small} tmpfs /var/lib/docker; mount -t tmpfs -o {big} tmpfs {images}"
        )
        clean.run("systemctl reset-failed; systemctl start containerd docker")
        assert said(clean).startswith("pending\n")

    clean.run("systemctl stop docker.socket docker")
    assert probed(clean).docker.engine.images == "/var/lib/docker"
    engines.configured(clean, **{"data-root": "/srv/docker"})
    clean.run("systemctl stop docker.socket docker")
    assert probed(clean).docker.engine.images == "/srv/docker"  # by its configuration, while nobody answers


@pytest.mark.soak
def test_an_engine_that_remaps_users_is_refused(clean: Host) -> None:
    engines.configured(clean, **{"userns-remap": "default"})

    told = said(clean)

    assert told.startswith("refused\nDocker remaps users here (userns-remap): ")
    code, done = fleethands("plan", openhands_flavor="source")  # as its hint says
    assert (code, done["hosts"]["lab-1"]["status"]) == (2, "pending")


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_an_engine_of_another_unit_is_used_if_it_starts_at_boot(clean: Host) -> None:
    engines.renamed(clean, "my-docker.service")
    told = said(clean)
    assert told.startswith("refused\nDocker is my-docker.service here, which does not start at boot (disabled)\n")
    clean.run(hint(told, "on the host: "))

    code, done = fleethands("apply", timeout=500)
    assert code == 0, trouble(done)
    clean.reboot()
    clean.run("until curl -fs -o /dev/null localhost:3000/health; do sleep 0.5; done", timeout=240)
    code, again = fleethands("plan")

    assert (code, changes(again)) == (0, [])
    assert "docker.io" not in str(engines.packages(clean))
    assert clean.run("systemctl is-active docker.service", check=False).stdout != "active\n"


@pytest.mark.soak
def test_an_engine_that_no_unit_runs_is_refused(clean: Host) -> None:
    clean.run(
        "systemctl disable --quiet --now docker.service docker.socket; setsid -f dockerd >/dev/null 2>&1 </dev/null"
    )
    clean.run("until docker version >/dev/null 2>&1; do sleep 0.2; done")

    assert said(clean).startswith("refused\nDocker answers here, and no unit starts it at boot\n")


@pytest.mark.soak
def test_an_engine_from_a_snap_is_refused_and_none_is_installed_beside_it(clean: Host) -> None:
    engines.renamed(clean, "snap.docker.dockerd.service")
    clean.run("mkdir -p /snap/bin && mv /usr/bin/docker /snap/bin/docker")

    for _ in range(2):
        assert said(clean).startswith(
            "refused\nDocker is a snap here, whose containers can't use directories in /opt\n"
        )
        clean.run("systemctl stop snap.docker.dockerd.service; rm -f /run/docker.sock")  # one that does not run, too


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_dockers_own_packages_are_used_and_nothing_in_them_stops(without_docker: Host) -> None:
    engines.docker_ce(without_docker)
    ran, installed = engines.containers(without_docker), engines.packages(without_docker)

    code, done = fleethands("apply", hosts="lab-4", timeout=500)
    assert code == 0, trouble(done, "lab-4")
    code, again = fleethands("plan", hosts="lab-4")

    assert (code, changes(again, "lab-4"), again["hosts"]["lab-4"]["remote_commands"]) == (0, [], 1)
    assert engines.containers(without_docker) == ran
    assert engines.packages(without_docker) >= installed
    assert "docker.io" not in str(engines.packages(without_docker))


@pytest.mark.soak
def test_a_package_that_apt_would_remove_is_named_in_the_plan_and_stays(without_docker: Host) -> None:
    """An engine of a name that nobody knows, stopped and without its command: apt would replace it."""
    engines.docker_ce(without_docker)
    without_docker.run("systemctl stop docker.socket docker; dpkg-divert --quiet --rename --add /usr/bin/docker")
    without_docker.run("sed -i 's/^Package: docker-ce$/Package: docker-engine/' /var/lib/dpkg/status")
    installed = engines.packages(without_docker)

    told = said(without_docker)
    code, done = fleethands("apply", hosts="lab-4")

    assert told.startswith("refused\nto install ")
    assert "apt would remove " in told
    assert "docker-engine" in told
    assert (code, done["hosts"]["lab-4"]["status"]) == (1, "refused")
    assert engines.packages(without_docker) == installed
    code, done = fleethands("plan", hosts="lab-4", **QUIET)  # Docker is left alone where nothing needs it
    assert (code, done["hosts"]["lab-4"]["status"]) == (2, "pending")


@pytest.mark.soak
def test_podman_in_dockers_place_is_refused_and_stays_until_somebody_removes_it(without_docker: Host) -> None:
    without_docker.run("apt-get -q update && apt-get -q -y install --no-install-recommends podman-docker", timeout=240)
    installed = engines.packages(without_docker)

    told = said(without_docker)

    assert told.startswith("refused\nthe command docker is Podman's here (package podman-docker)\n")
    assert engines.packages(without_docker) == installed
    without_docker.run("systemctl start podman.socket; ln -sf /run/podman/podman.sock /run/docker.sock")
    assert said(without_docker) == told
    without_docker.run(hint(told, "if Docker may take").replace("remove ", "-y remove "))
    told = said(without_docker)
    assert told.startswith("pending\n")
    assert " docker.io " in told


@pytest.mark.soak
def test_every_package_is_in_the_plan_and_a_list_that_somebody_locks_is_waited_for(without_docker: Host) -> None:
    assert "not known before" in said(without_docker)
    lock = "import fcntl, time; f = open('/var/lib/apt/lists/lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(20)"
    without_docker.run("apt-get -q update && apt-get -q -y install --no-install-recommends python3", timeout=180)
    before, files = engines.packages(without_docker), without_docker.run("ls -lRc /var/lib/apt /var/cache/apt").stdout

    told = said(without_docker)
    assert {"docker.io", "docker-cli", "containerd"} <= set(told.split())
    assert "apt downloads " in told
    assert without_docker.run("ls -lRc /var/lib/apt /var/cache/apt").stdout == files
    without_docker.run(f'systemd-run --quiet --unit holds-the-lists python3 -c "{lock}"')
    code, done = fleethands("apply", hosts="lab-4", **QUIET)
    assert code == 0, trouble(done, "lab-4")
    code, again = fleethands("plan", hosts="lab-4", **QUIET)

    assert (code, changes(again, "lab-4")) == (0, [])
    new = {line.split()[1] for line in engines.packages(without_docker) - before}
    assert {"nftables", "zstd"} & new
    assert not {"docker.io", "containerd"} & new
