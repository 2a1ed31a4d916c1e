"""Which hosts are meant by patterns, parts and reports; words that mean none are told before any host is contacted."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleethands.rollout.pick import NoHosts, Pick, picked
from tests.unit.test_cli import fleethands

NAMES = ["gpu-1", "gpu-2", "web-1"]


def refusal(**pick: object) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(NoHosts) as caught:
        picked("prod.py", Pick(**pick), NAMES)  # type: ignore[arg-type]
    return str(caught.value), caught.value.hints


def test_patterns_pick_and_spare() -> None:
    assert picked("prod.py", Pick("gpu-*", "*-2"), NAMES) == ["gpu-1"]
    assert picked("prod.py", Pick(only=frozenset({"web-1", "gone"})), NAMES) == ["web-1"]


def test_a_name_with_brackets_matches_itself() -> None:
    assert picked("words", Pick("root@[::1]:22"), ["root@[::1]:22", "root@box"]) == ["root@[::1]:22"]


@pytest.mark.parametrize("more", [{}, {"hosts": "web-*"}, {"only": frozenset({"gpu-1"})}])
def test_a_pattern_that_spares_no_host_is_refused(more: dict[str, object]) -> None:
    said, hints = refusal(exclude="gpu-O", **more)

    assert said == "`prod.py` names no host that matches `--exclude gpu-O`"
    assert hints == ("its hosts: gpu-2, gpu-1 …",)


def test_a_pattern_may_spare_hosts_that_are_not_meant_anyway() -> None:
    assert picked("prod.py", Pick("web-*", "gpu-*"), NAMES) == ["web-1"]
    assert picked("prod.py", Pick(exclude="gpu-2", only=frozenset({"gpu-1"})), NAMES) == ["gpu-1"]


def test_patterns_that_leave_none_are_told_together() -> None:
    assert refusal(hosts="gpu-*", exclude="gpu-*")[0] == (
        "`prod.py` names no host that matches `gpu-*` and not `gpu-*`"
    )


def test_what_a_report_leaves_is_told_where_none_of_it_is_meant() -> None:
    gone = frozenset({"old-1", "old-2"})

    assert refusal(only=gone) == (
        "`prod.py` names none of the hosts that the report leaves: old-1, old-2",
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
    assert "names no host that matches `--exclude gpu-7*`\n\nhint: its hosts: gpu-1.invalid\n" in done.stderr
