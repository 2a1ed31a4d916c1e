"""Which hosts patterns, shards and reports select. A pattern without hosts is refused before any connection."""

from __future__ import annotations

from glob import escape
from pathlib import Path
from typing import Any

import pytest

from fleethands.fleet.roster import Roster
from fleethands.fleet.selection import HostSelection, NoHostsError, select_hosts
from tests.helpers.command_line import fleethands

NAMES = ["gpu-1", "gpu-2", "web-1"]
HOSTS = Roster(NAMES)
GROUPS = Roster(NAMES, {"all": NAMES, "prod": NAMES, "gpu": NAMES[:2], "edge": NAMES[1:], "web-1": ["gpu-1"]})


def refusal(roster: Roster = HOSTS, /, **pick: Any) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(NoHostsError) as caught:
        select_hosts("prod.py", HostSelection(**pick), roster)
    return str(caught.value), caught.value.hints


def test_patterns_pick_and_spare() -> None:
    assert select_hosts("prod.py", HostSelection("gpu-*", "*-2"), HOSTS) == ["gpu-1"]
    assert select_hosts("prod.py", HostSelection(only=frozenset({"web-1", "gone"})), HOSTS) == ["web-1"]


def test_a_name_with_brackets_matches_itself() -> None:
    assert select_hosts("words", HostSelection("root@[::1]:22"), Roster(["root@[::1]:22", "root@box"])) == [
        "root@[::1]:22"
    ]


@pytest.mark.parametrize(
    ("hosts", "exclude", "names"),
    [
        ("gpu", "", ["gpu-1", "gpu-2"]),
        ("gpu,web-*", "", NAMES),
        ("edge, gpu-1", "", NAMES),
        ("all", "", NAMES),
        ("prod", "edge", ["gpu-1"]),
        ("*", "gpu,nobody-*,", []),
        ("gpu-[12]", "edge", ["gpu-1"]),
        ("ed*", "", []),
        ("web-1", "", ["web-1"]),  # a host and a group: the host alone is taken, and both are spared
        ("*", "web-1", ["gpu-2"]),
        ("[w]eb-1", "", ["web-1"]),
    ],
)
def test_a_list_has_names_patterns_and_groups(hosts: str, exclude: str, names: list[str]) -> None:
    if names:
        assert select_hosts("prod.py", HostSelection(hosts, exclude), GROUPS) == names
    else:
        refusal(GROUPS, hosts=hosts, exclude=exclude)


def test_a_name_keeps_its_comma() -> None:
    roster = Roster(["a,b", "a", "b", " c,*"])

    assert select_hosts("words", HostSelection("a,b"), roster) == ["a,b"]
    assert select_hosts("words", HostSelection("b,a"), roster) == ["a", "b"]
    for name in roster.names:
        assert select_hosts("words", HostSelection(escape(name)), roster) == [name]


def test_a_part_of_a_list_that_means_no_host_is_named_with_what_is_near() -> None:
    assert refusal(GROUPS, hosts="gpu-1,gpi") == (
        "`prod.py` has no host that matches `gpi`",
        ("its hosts: gpu-2, gpu-1 …", "its groups: gpu …"),
    )
    assert refusal(GROUPS, exclude="gpu,ed*")[0] == "`prod.py` has no host that matches `--exclude ed*`"
    assert refusal(GROUPS, hosts=",")[0] == "`prod.py` has no host that matches `,`"
    assert refusal(GROUPS, hosts="")[0] == "`prod.py` has no host that matches ``"


def test_a_host_may_have_the_name_of_the_group_of_all() -> None:
    roster = Roster(["gpu", "cpu"], {"gpu": ["gpu", "cpu"], "all": ["gpu", "cpu"]})  # gpu.py makes one, too

    assert select_hosts("gpu.py", HostSelection(exclude="gpu"), roster) == ["cpu"]


def test_options_that_are_given_twice_are_one_list(tmp_path: Path) -> None:
    (tmp_path / "fleet.py").write_text("gpu = ['a.invalid', 'b.invalid']\ncpu = ['c.invalid', 'd.invalid']\n")
    words = ["--hosts", "gpu", "--hosts", "c.*,d.invalid", "--exclude", "a.invalid", "--exclude", "d*"]

    done = fleethands("lock", "status", "fleet.py", *words, cwd=tmp_path)

    assert [line.split()[0] for line in done.stdout.splitlines() if "unreachable" in line] == ["b.invalid", "c.invalid"]
    again = fleethands("plan", "fleet.py", *words, "--data", 'models=["m"]', cwd=tmp_path).stdout
    assert "fleet.py --hosts 'gpu,c.*,d.invalid' --exclude 'a.invalid,d*' --data" in again


def test_mistakes_of_hosts_that_are_not_meant_are_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "fleet.py").write_text(
        "here = [('@local', {'models': ['m:1'], 'openhands_flavor': 'off'})]\nother = [('b.invalid', {'gpu': 7})]\n"
    )

    done = fleethands("plan", "fleet.py", "--hosts", "here", cwd=tmp_path)

    assert "b.invalid" not in done.stdout + done.stderr


@pytest.mark.parametrize("more", [{}, {"hosts": "web-*"}, {"only": frozenset({"gpu-1"})}])
def test_a_pattern_that_spares_no_host_is_refused(more: dict[str, object]) -> None:
    said, hints = refusal(exclude="gpu-O", **more)

    assert said == "`prod.py` has no host that matches `--exclude gpu-O`"
    assert hints == ("its hosts: gpu-2, gpu-1 …",)


def test_a_pattern_may_spare_hosts_that_are_not_meant_anyway() -> None:
    assert select_hosts("prod.py", HostSelection("web-*", "gpu-*"), HOSTS) == ["web-1"]
    assert select_hosts("prod.py", HostSelection(exclude="gpu-2", only=frozenset({"gpu-1"})), HOSTS) == ["gpu-1"]


def test_patterns_that_leave_none_are_told_together() -> None:
    assert refusal(hosts="gpu-*", exclude="gpu-*")[0] == ("`prod.py` has no host that matches `gpu-*` and not `gpu-*`")


def test_what_a_report_leaves_is_told_where_none_of_it_is_meant() -> None:
    gone = frozenset({"old-1", "old-2"})

    assert refusal(only=gone) == (
        "`prod.py` has none of the hosts that the report leaves: old-1, old-2",
        ("its hosts: web-1, gpu-1 …",),
    )
    assert refusal(hosts="web-*", only=gone | {"gpu-2"}) == (
        "no host that the report leaves matches `web-*`",
        ("it leaves: gpu-2",),
    )


def test_an_exclusion_of_nobody_exits_64(tmp_path: Path) -> None:
    (tmp_path / "fleet.py").write_text("gpu = [('gpu-1.invalid', {'models': ['m:1']})]\n")

    done = fleethands("plan", str(tmp_path / "fleet.py"), "--exclude", "gpu-7*", "--shard", "1/2")

    assert (done.returncode, done.stdout) == (64, "")
    assert "has no host that matches `--exclude gpu-7*`\n\nhint: its hosts: gpu-1.invalid\n" in done.stderr
