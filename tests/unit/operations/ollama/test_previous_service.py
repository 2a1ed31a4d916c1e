"""The way from a service to a container and back, by the functions of scripts/ in a place of their own."""

from __future__ import annotations

import os
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from fleethands.operations.core import scripts

BEFORE = {
    "openhands.service": "# Written by fleethands.\nunit 1\n",
    "openhands.env": "KEY=1\n",
    "config.toml": "model = 1\n",
}
UNPROVEN = {
    "openhands.service": "# Written by fleethands.\nunit 2\n",
    "openhands.env": "KEY=2\n",
    "config.toml": "model = 2\n",
}
# stand-ins: a container is a file with its labels, an image another, and `broken` names those that do not start
HEAD = """set -eu
trap 'status=$?; echo "status $status"' EXIT
fail() { printf 'error: %s\\n' "$1"; shift; for hint in "$@"; do echo "hint: $hint"; done; exit 1; }
atomic_file() { cat >"$1.new"; mv -f "$1.new" "$1"; }
said_of() { sed -n "s/^$2=//p" "$place/$1" 2>/dev/null; }
docker_labels() { [ -z "$(cat "$place/$1" 2>/dev/null)" ] || echo "$(said_of "$1" spec) $(said_of "$1" made)"; }
systemctl() { echo "$*" >>"$place/systemctl"; ! grep -qxsF "$1" "$place/systemd-fails"; }
docker() {
  case "$1 $2" in
    'container inspect')
      shift 2
      case $1 in
        --format)
          [ -e "$place/containers/$3" ] || return 1
          case $2 in
            '{{.Id}}') said_of "containers/$3" id ;;
            '{{.Image}} '*) echo "$(said_of "containers/$3" image) $(docker_labels "containers/$3")" ;;
            *) said_of "containers/$3" "$(echo "$2" | sed 's/.*fleethands\\.\\([a-z]*\\).*/\\1/')" ;;
          esac ;;
        *) [ -e "$place/containers/$1" ] ;;
      esac ;;
    'image inspect') [ "$5" != gone ] && docker_labels "images/$5" ;;
    'rm --force') rm -f "$place/containers/$3" ;;
    'rename '*) mv "$place/containers/$2" "$place/containers/$3" ;;
    'stop '*) ;;
    'start '*) ! grep -qxsF "$(sed -n s/^id=//p "$place/containers/$2")" "$place/broken" ;;
  esac
}
ledger=$place/made
only_roots() { true; }
"""


def ran(place: Path, *calls: str) -> str:
    """What calls of it say, with their exit status."""
    text = scripts.read("containers") + scripts.read("openhands")
    for path in ("/etc/systemd/system", "/var/lib/fleethands", "/etc/fleethands", "/opt/openhands-source"):
        assert path in text
        text = text.replace(path, str(place))
    lines = "\n".join([f"place={place}", scripts.read("owned"), HEAD, text, *calls])
    done = subprocess.run(["sh", "-c", lines], timeout=30, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout


def write_files(place: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)


def there(place: Path) -> dict[str, str]:
    return {name: (place / name).read_text() for name in BEFORE if (place / name).exists()}


def containers(place: Path) -> dict[str, str]:
    """Which of them has which name."""
    found = (place / "containers").iterdir() if (place / "containers").exists() else ()
    return {each.name: each.read_text().splitlines()[0].removeprefix("id=") for each in found}


def test_all_that_a_service_reads_comes_back_with_its_unit(tmp_path: Path) -> None:
    write_files(tmp_path, BEFORE)

    ran(tmp_path, "set_service_aside")
    assert "openhands.service" not in there(tmp_path)
    write_files(tmp_path, {name: text for name, text in UNPROVEN.items() if name != "openhands.service"})
    ran(tmp_path, "restore_service_files")

    assert there(tmp_path) == BEFORE


def test_what_an_earlier_service_left_is_not_mixed_in(tmp_path: Path) -> None:
    """A killed run left files of an older service. The service that is replaced has no config."""
    write_files(tmp_path, {"openhands.service-before.env": "KEY=0\n", "openhands.service-before.toml": "model = 0\n"})
    service = {name: text for name, text in BEFORE.items() if name != "config.toml"}
    write_files(tmp_path, service)

    ran(tmp_path, "set_service_aside", "restore_service_files")

    assert there(tmp_path) == service


@pytest.mark.parametrize("calls", [("set_service_aside",), ("set_service_aside", "set_service_aside")])
def test_a_service_that_was_never_proven_takes_no_proven_ones_place(tmp_path: Path, calls: tuple[str, ...]) -> None:
    write_files(tmp_path, BEFORE)
    ran(tmp_path, "keep_service")
    write_files(tmp_path, UNPROVEN)

    ran(tmp_path, *calls, "restore_service_files")

    assert there(tmp_path) == BEFORE


def test_a_unit_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    write_files(tmp_path, {"openhands.service": "[Service]\nExecStart=/mine\n"})

    assert ran(tmp_path, "set_service_aside", "remove_service") == "status 0\n"

    assert there(tmp_path) == {"openhands.service": "[Service]\nExecStart=/mine\n"}
    assert not (tmp_path / "systemctl").exists()


def test_without_a_service_what_was_built_stays_until_another_is(tmp_path: Path) -> None:
    """A container took the place of the service, and is proven: only what no link leads to goes."""
    for name in ("1.16.0.aaaaaa", "1.16.0.bbbbbb"):
        (tmp_path / name).mkdir()
    (tmp_path / "1.16.0").symlink_to(tmp_path / "1.16.0.aaaaaa")

    ran(tmp_path, "remove_old_builds")

    assert sorted(each.name for each in tmp_path.iterdir()) == ["1.16.0", "1.16.0.aaaaaa"]


OURS, THEIRS, OURS_NOW = "id=old\nspec=s1\n", "id=old\n", "id=new\nspec=s2\nmade=m\n"


@pytest.mark.parametrize("old", [OURS, THEIRS], ids=["ours", "adopted"])
@pytest.mark.parametrize("hint", ["", "on the host: systemctl restart docker"])
def test_what_was_there_before_is_kept_though_it_does_not_start(tmp_path: Path, old: str, hint: str) -> None:
    write_files(tmp_path, {"containers/app": "id=new\nspec=s2\n", "containers/app-before": old, "broken": "old\n"})

    said = ran(tmp_path, f"restore_and_fail app 'the new one does not start' '{hint}'")

    assert containers(tmp_path) == {"app": "old"}
    assert said.splitlines() == [
        "error: the new one does not start; the previous one is back in place, and does not start",
        *([f"hint: {hint}"] if hint else []),
        "hint: on the host: docker start app",
        "status 1",
    ]


def test_what_was_there_before_serves_again(tmp_path: Path) -> None:
    write_files(tmp_path, {"containers/app": "id=new\nspec=s2\n", "containers/app-before": THEIRS})

    assert "error: x; the previous one is running again" in ran(tmp_path, "restore_and_fail app x")

    assert containers(tmp_path) == {"app": "old"}


def test_a_service_that_does_not_come_back_is_told(tmp_path: Path) -> None:
    write_files(tmp_path, BEFORE)
    ran(tmp_path, "set_service_aside")
    write_files(tmp_path, {"containers/app": "id=new\nspec=s2\n", "systemd-fails": "restart\n"})

    said = ran(tmp_path, "restore_and_fail app x")

    assert "error: x; the previous one is back in place, and does not start" in said
    assert "hint: on the host: systemctl restart openhands" in said
    assert there(tmp_path) == BEFORE
    assert containers(tmp_path) == {}


def test_where_nothing_was_before_the_new_one_goes(tmp_path: Path) -> None:
    write_files(tmp_path, {"containers/app": "id=new\nspec=s2\n"})

    assert "error: x\nhint: look for the cause" in ran(tmp_path, "restore_and_fail app x")

    assert containers(tmp_path) == {}


@pytest.mark.parametrize("before", ["containers/app-before", "openhands.service-before"])
def test_a_container_that_was_never_proven_takes_no_proven_ones_place(tmp_path: Path, before: str) -> None:
    write_files(tmp_path, {"containers/app": "id=new\nspec=s2\n", before: OURS})

    ran(tmp_path, "set_container_aside app")

    assert "new" not in containers(tmp_path).values()
    assert (tmp_path / before).exists()


def test_a_container_gives_way_under_another_name(tmp_path: Path) -> None:
    write_files(tmp_path, {"containers/app": THEIRS})

    assert ran(tmp_path, "set_container_aside app") == "status 0\n"

    assert containers(tmp_path) == {"app-before": "old"}


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_what_the_one_before_left_is_handed_over_and_nobody_elses_files(tmp_path: Path) -> None:
    place = tmp_path / "work space"
    write_files(place.parent, {"work space/of-person": "", "work space/of-first": ""})
    os.chown(place / "of-person", 1000, 1000)
    give = f"hand_over '{place}'"

    ran(tmp_path, f"{give} 2001:2001")
    assert (place / "of-first").stat().st_uid == 0  # the directory was root's, and stays root's
    os.chown(place / "of-first", 2001, 2001)
    ran(tmp_path, f"{give} 2002:2002", f"{give} 2003:2003")

    owners = {each.name: (each.stat().st_uid, each.stat().st_gid) for each in (place, *place.iterdir())}
    assert owners == {"work space": (2003, 2003), "of-first": (2003, 2003), "of-person": (1000, 1000)}
    os.chown(place, 1000, 1000)  # a person takes it
    ran(tmp_path, f"{give} 2004:2004")
    assert (place.stat().st_uid, (place / "of-person").stat().st_uid) == (2004, 1000)
    assert (tmp_path / "workers").read_text() == f"2004:2004 {place}\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_directories_go_back_with_what_worked_in_them(tmp_path: Path) -> None:
    place = tmp_path / "workspace"
    unit = f"{BEFORE['openhands.service']}WorkingDirectory={place}\nUser=daemon\n"
    write_files(tmp_path, {**BEFORE, "openhands.service": unit, "workspace/notes": "mine\n"})
    ids = "numbers_of daemon"
    ran(tmp_path, f'hand_over "{place}" "$({ids})"', f'chown daemon "{place}/notes"')

    ran(tmp_path, "set_service_aside", f'hand_over "{place}" 2001:2001')
    assert {each.stat().st_uid for each in (place, place / "notes")} == {2001}
    assert "is running again" in ran(tmp_path, "restore_and_fail app x")

    assert {each.stat().st_uid for each in (place, place / "notes")} == {int(ran(tmp_path, ids).split(":")[0])}


PROOF = """record=$place/proof container=app shift= records=$place/record kept=5 run= apply=x
stop() { exit 1; }
"""


@pytest.mark.parametrize("broken", ["", "list"])
@pytest.mark.parametrize("change", [True, False])
def test_only_a_run_that_changes_the_host_ends_what_waits_for_a_proof(
    tmp_path: Path, broken: str, change: bool
) -> None:
    write_files(tmp_path, {"containers/app": "id=new\nspec=s2\n", "containers/app-before": OURS})
    script = files("fleethands.operations.proof").joinpath("1-record.sh").read_text()
    finish = [PROOF, f"entry='{'{' if change else ''}'", script, "is_locked_by_run() { return 1; }"]

    ran(tmp_path, *finish, f"broken='{broken}'", "finish")

    waiting = {"app": "new", "app-before": "old"}
    assert containers(tmp_path) == (waiting if not change else {"app": "old"} if broken else {"app": "new"})
    assert (tmp_path / "proof").exists() == change


@pytest.mark.parametrize("locked", [True, False])
def test_a_proof_alone_is_written_down_where_nothing_waits_for_it(tmp_path: Path, locked: bool) -> None:
    write_files(tmp_path, {"containers/app": OURS})
    script = files("fleethands.operations.proof").joinpath("1-record.sh").read_text()
    lock = f"is_locked_by_run() {{ return {0 if locked else 1}; }}"

    assert ran(tmp_path, PROOF, "entry=''", script, lock, "finish") == "status 0\n"

    assert (tmp_path / "proof").exists() == (not locked)


@pytest.mark.parametrize(
    ("container", "image", "ours"),
    [
        ("id=1\n", "", False),
        ("id=1\nspec=s\n", "", True),  # as the version before made it
        ("id=1\nspec=s\nmade=m1\n", "", True),
        ("id=1\nspec=s\nmade=m1\n", "spec=s\nmade=m1\n", False),  # `docker commit` of a managed one, and `docker run`
        ("id=1\nspec=s\n", "spec=s\n", False),
        (
            "id=1\nspec=s\nmade=m2\n",
            "spec=s\nmade=m1\n",
            True,
        ),  # managed; its image was committed from a managed one
        ("id=1\nmade=m2\n", "", False),
        ("id=1\nspec=s\nmade=m1\nimage=gone\n", "", False),
    ],
)
def test_a_container_is_ours_by_labels_that_its_image_does_not_have(
    tmp_path: Path, container: str, image: str, ours: bool
) -> None:
    image_of = "" if "image=" in container else "image=i\n"
    write_files(tmp_path, {"containers/app": container + image_of, "images/i": image})

    said = ran(tmp_path, "is_own_container app && echo own", "remove_own_container app")

    assert said == ("own\nstatus 0\n" if ours else "status 0\n")
    assert containers(tmp_path) == ({} if ours else {"app": "1"})


def test_a_container_of_somebody_elses_that_is_only_named_so_did_not_give_way(tmp_path: Path) -> None:
    write_files(tmp_path, {"containers/app": OURS_NOW})
    ran(tmp_path, "set_container_aside other")  # whatever it did, this host has a record now
    write_files(tmp_path, {"containers/app-before": THEIRS})

    said = ran(tmp_path, "remove_previous_openhands app", "! has_previous_container app", "set_container_aside app")

    assert containers(tmp_path) == {"app": "new", "app-before": "old"}
    assert said == (
        "error: a container named app-before is in the way\n"
        "hint: on the host: docker rename app-before app-before-mine\nstatus 1\n"
    )


def test_a_container_of_somebody_elses_that_gave_way_is_known_again(tmp_path: Path) -> None:
    write_files(tmp_path, {"containers/app": THEIRS})
    ran(tmp_path, "set_container_aside app")
    write_files(tmp_path, {"containers/app": OURS_NOW})

    ran(tmp_path, "has_previous_container app && remove_previous_openhands app")

    assert containers(tmp_path) == {"app": "new", "app-adopted": "old"}
