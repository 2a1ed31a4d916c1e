"""What apt says that it would do, read into a value."""

from __future__ import annotations

import base64

import pytest

from fleethands.facts.apt import Apt, Package, parse_apt
from fleethands.settings.packages import ENGINE, needed_packages
from tests.helpers.checkout import FIXTURES
from tests.hosts import declared

UNMET = """The following packages have unmet dependencies:
 docker-ce : Depends: containerd.io (>= 1.7.27)
             Recommends: docker-ce-cli but it is not going to be installed
E: Unable to correct problems, you have held broken packages.

100"""


def said(text: str | bytes, asked: str = "docker.io") -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    return [f"wanted {asked}", f"said {base64.b64encode(data).decode()}"]


def recorded(name: str) -> Apt:
    return parse_apt(said((FIXTURES / name).read_bytes()))


def test_what_apt_would_install_and_upgrade_is_listed_with_the_size() -> None:
    apt = recorded("apt-upgrades.txt")

    assert [each.name for each in apt.installed][:3] == ["containerd", "docker.io", "iptables"]
    assert apt.installed[0] == Package("containerd", "1.6.20~ds1-1+deb12u3")
    assert Package("libcurl4", "7.88.1-10+deb12u15", "7.88.1-10+deb12u14") in apt.upgraded
    assert (apt.removed, apt.downgraded, apt.held, apt.error) == ((), (), (), "")
    assert 60_000_000 < apt.size < 80_000_000


def test_what_apt_would_remove_is_listed() -> None:
    apt = recorded("apt-removes.txt")

    assert {"systemd-sysv", "libpam-systemd"} < {each.name for each in apt.removed}
    assert apt.error == "Packages need to be removed but remove is disabled."
    assert not apt.is_unknown


def test_a_package_that_the_lists_do_not_have_is_told_from_other_trouble() -> None:
    assert recorded("apt-unknown.txt").is_unknown
    gone = "E: Package 'docker.io' has no installation candidate\n\n100"
    assert parse_apt(said(gone)).is_unknown
    assert not parse_apt(said(f"E: Unmet dependencies.\n{gone}")).is_unknown


def test_unmet_dependencies_are_apts_own_words() -> None:
    apt = parse_apt(said(UNMET))

    assert apt.error.startswith("docker-ce : Depends: containerd.io (>= 1.7.27); Unable to correct problems")


def test_no_lists_no_answer_and_no_question() -> None:
    assert parse_apt([]) == Apt()
    assert parse_apt(["wanted curl zstd", "lists none"]) == Apt(("curl", "zstd"), has_lists=False)
    assert parse_apt(["wanted zstd", "dpkg interrupted"]) == Apt(("zstd",), is_interrupted=True)
    assert parse_apt(said("\n124", "curl")) == Apt(("curl",), is_late=True)


@pytest.mark.parametrize(
    "text",
    [
        "The following packages will be REMOVED:\n   \x1b[2Jdocker-ce\n\n0",
        "The following packages will be REMOVED:\n   " + "a" * 200 + "\n\n0",
        "The following NEW packages will be installed:\n   a (1 2)\n\n0",
        "cut off",
        "",
    ],
)
def test_what_apt_does_not_say_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whichever: its section is unknown then
        parse_apt(said(text))


def test_its_words_are_one_clean_line() -> None:
    assert parse_apt(said("E: \x1b]0;x\x07 no\x1b[31m\n\n100")).error.isprintable()
    assert len(parse_apt(said(f"E: {'x' * 5000}\n\n100")).error) == 400


@pytest.mark.parametrize(
    ("data", "engine", "build"),
    [({}, True, False), ({"openhands_flavor": "off"}, False, False), ({"openhands_flavor": "source"}, False, True)],
)
def test_docker_and_what_a_build_needs_are_wanted_where_they_are_used(
    data: dict[str, str], engine: bool, build: bool
) -> None:
    names = needed_packages(declared(**data))
    assert ((ENGINE in names), ("python3-venv" in names)) == (engine, build)
