"""What root does in directories of others, by the functions of owned.sh, tried with users of this machine."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleethands.operations.core import scripts
from fleethands.script import PATH

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")
AGENT, OTHER = 64001, 64002
FAIL = "fail() { printf 'error: %s\\n' \"$1\"; exit 1; }\n"


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of root's to which all others are let; pytest's own are below one that everybody may write in."""
    with tempfile.TemporaryDirectory(dir="/var/lib") as name:
        subprocess.run(["chmod", "0755", name], check=True)
        yield Path(name)


def ran(*lines: str, check: bool = False) -> str:
    """What lines say behind these functions."""
    text = "\n".join([f"set -eu; PATH={PATH}", FAIL, scripts.join("owned"), *lines])
    done = subprocess.run(["sh", "-c", text], input="text\n", capture_output=True, text=True, timeout=30, check=check)
    return done.stdout


def of_agent(place: Path) -> Path:
    place.mkdir()
    os.chown(place, AGENT, AGENT)
    return place


def test_a_path_counts_as_far_as_only_root_decides_it(place: Path) -> None:
    theirs = of_agent(place / "theirs")
    (theirs / "sub").mkdir()
    (place / "link").symlink_to("theirs")
    (theirs / "link").symlink_to("/etc")
    (place / "of-agent").symlink_to("/etc")
    os.chown(place / "of-agent", AGENT, AGENT, follow_symlinks=False)

    def real(path: Path) -> str:
        return ran(f"real_path {shlex.quote(str(path))} && echo ok || echo foreign")

    assert real(place / "link") == f"{theirs}\nok\n"
    assert real(theirs / "sub") == f"{theirs}/sub\nforeign\n"
    assert real(place / "link/link") == f"{theirs}/link\nforeign\n"
    assert real(place / "of-agent") == f"{place}/of-agent\nok\n"  # a link, which its caller sees
    assert real(place / "of-agent/ssh") == f"{place}/of-agent/ssh\nforeign\n"
    assert real(place / "a b/../new/$x") == f"{place}/new/$x\nok\n"
    (place / "open").mkdir()
    subprocess.run(["chmod", "1777", place / "open"], check=True)
    assert real(place / "open/x").endswith("foreign\n")


def test_what_runs_as_an_owner_has_nothing_of_roots(place: Path) -> None:
    show = 'id -u; id -G; env | sort; pwd; ls /proc/self/fd | wc -l; grep -E "^(CapBnd|NoNewPrivs)" /proc/self/status'

    said = ran(
        "exec 9>/dev/null 8>/dev/null; export SECRET=1",
        f"as_owner {AGENT}:{AGENT} 5 sh -c {shlex.quote(show)}",
    ).split()

    assert said[:2] == [str(AGENT), str(AGENT)]
    assert "SECRET=1" not in said
    assert said[-5:] == ["4", "CapBnd:", "0" * 16, "NoNewPrivs:", "1"]
    assert "/" in said


@pytest.mark.parametrize("owner", ["0:0", "", ":1", "root", "0:64001"])
def test_root_is_no_owner_to_become(owner: str) -> None:
    assert ran(f"as_owner '{owner}' 5 id && echo done || echo no") == "no\n"


def test_one_that_is_stopped_by_its_owner_is_no_reason_to_wait() -> None:
    begun = time.monotonic()

    ran(f"as_owner {AGENT}:{AGENT} 1 sh -c 'kill -STOP $$' || true")

    assert time.monotonic() - begun < 10


def test_a_file_is_written_by_its_owner(place: Path) -> None:
    theirs, roots = of_agent(place / "theirs"), of_agent(place / "roots")
    os.chown(roots, 0, 0)
    (theirs / "link").symlink_to(roots)
    (theirs / "settings").symlink_to(roots / "file")

    ran(f"owned_file {theirs}/settings 0640 {AGENT}:{AGENT}")

    there = (theirs / "settings").lstat()
    assert ((theirs / "settings").read_text(), oct(there.st_mode), there.st_uid) == ("text\n", "0o100640", AGENT)
    assert "cannot write" in ran(f"owned_file {theirs}/link/file 0600 {AGENT}:{AGENT}")
    assert list(roots.iterdir()) == []
    assert [each.name for each in theirs.iterdir() if each.name.startswith(".")] == []


def test_a_pipe_and_a_link_are_not_read(place: Path) -> None:
    theirs = of_agent(place / "theirs")
    os.mkfifo(theirs / "pipe", 0o666)
    (theirs / "link").symlink_to("/etc/hostname")
    (theirs / "file").write_text("0123456789")

    read = f"read_as {AGENT}:{AGENT} {theirs}"

    assert ran(f"{read}/pipe; echo; {read}/link || echo no").split() == ["no"]
    assert ran(f"{read}/file; echo; {read}/file iflag=count_bytes count=3").split() == ["0123456789", "012"]


def test_a_tree_gets_another_owner_and_nobody_elses_files(place: Path) -> None:
    theirs = of_agent(place / "theirs")
    for name in ("file", "of-other", "sub/file"):
        (theirs / name).parent.mkdir(exist_ok=True)
        (theirs / name).write_text("")
        os.chown(theirs / name, AGENT, AGENT)
    os.chown(theirs / "of-other", OTHER, OTHER)
    (place / "roots").write_text("")
    (theirs / "link").symlink_to(place / "roots")

    ran(f"give_tree {theirs} {AGENT} 64003:64004", check=True)

    owners = {str(each.relative_to(theirs)): each.lstat().st_uid for each in theirs.rglob("*")}
    assert owners == {"file": 64003, "of-other": OTHER, "sub": 0, "sub/file": 64003, "link": 0}
    assert (place / "roots").stat().st_uid == 0
    assert ran(f"give_tree {theirs}/link {AGENT} 1:1 || echo no") == "no\n"


def test_of_roots_files_those_with_a_second_name_stay(place: Path) -> None:
    theirs = of_agent(place / "theirs")
    (place / "shadow").write_text("")
    os.link(place / "shadow", theirs / "shadow")
    (theirs / "mine").write_text("")

    ran(f"give_tree {theirs} 0 {AGENT}:{AGENT}", check=True)

    assert ((place / "shadow").stat().st_uid, (theirs / "mine").stat().st_uid) == (0, AGENT)


def test_a_directory_is_made_in_the_place_itself(place: Path) -> None:
    theirs = of_agent(place / "theirs")
    (theirs / "link").symlink_to("/etc")

    assert ran(f"make_within '{theirs}/a b/c' && echo done") == "done\n"
    assert ran(f"make_within {theirs}/link/new || echo no") == "no\n"

    assert [(theirs / "a b/c").is_dir(), Path("/etc/new").exists()] == [True, False]


def test_only_what_lies_there_is_removed(place: Path) -> None:
    theirs, roots = of_agent(place / "theirs"), of_agent(place / "roots")
    (roots / "precious").write_text("")
    (theirs / "link").symlink_to(roots)
    (theirs / "tree/sub").mkdir(parents=True)

    assert "is not removed" in ran(f"remove_tree {theirs}/link/precious")
    ran(f"remove_tree {theirs}/link; remove_tree {theirs}/tree; remove_tree {theirs}/none", check=True)

    assert list(theirs.iterdir()) == []
    assert (roots / "precious").exists()
