"""Hooks of a project: which programs run, with which variables, and what their failure means."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fleethands.command_line import CommandLine
from fleethands.errors import FleethandsError
from fleethands.report.model import HostReport, Report
from fleethands.runs import hook_program
from fleethands.runs.hooks import Hooks
from tests.helpers.checkout import ROOT

LINE = CommandLine("apply", "prod.py")
Write = Callable[..., Path]


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a hook into a project, which is the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, script: str, mode: int = 0o755) -> Path:
        path = Path("hooks") / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(mode)
        return path

    return write


def found(shown: list[str] | None = None, line: CommandLine = LINE) -> Hooks:
    return Hooks.find(line, "ab12cd34", (shown if shown is not None else []).append)


def plan() -> Report:
    return Report("apply", {"b": HostReport("pending"), "a": HostReport("pending"), "c": HostReport("unchanged")})


def test_without_a_directory_of_hooks_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hooks = found()

    hooks.run_before(plan())

    assert hooks.run_after(plan()) == ""


def test_a_hook_gets_the_hosts_that_change_and_no_others(hook: Write) -> None:
    for name in ("pre-apply", "post-apply"):
        hook(name, 'echo "$FLEETHANDS_RESULT:" $FLEETHANDS_HOSTS')
    shown: list[str] = []
    hooks = found(shown)
    others = {"u": HostReport("unreachable"), "v": HostReport("refused"), "w": HostReport("unchanged")}

    hooks.run_before(Report("apply", {"a": HostReport("pending"), "b": HostReport("pending"), **others}))
    after = {"a": HostReport("rolled-back"), "b": HostReport("changed"), "x": HostReport("not-run")}
    hooks.run_after(Report("apply", {**after, **others}))

    assert shown == ["pre-apply: failed: a b", "post-apply: failed: a b"]


def test_a_hook_gets_its_variables_and_a_report(hook: Write) -> None:
    hook(
        "pre-apply",
        'env | grep ^FLEETHANDS_ | sort > seen; cp "$FLEETHANDS_REPORT" report; stat -c %a "$FLEETHANDS_REPORT"',
    )
    shown: list[str] = []

    found(shown).run_before(plan())

    seen = Path("seen").read_text()
    assert shown == ["pre-apply: 600"]
    for line in ("COMMAND=apply", "TARGET=prod.py", "HOSTS=a\n", "RESULT=pending", "RUN=ab12cd34", "FAILED=\n"):
        assert f"FLEETHANDS_{line}" in seen
    assert "FLEETHANDS_SUMMARY=3 hosts, " in seen
    assert f"FLEETHANDS_BY={plan().by}" in seen
    assert json.loads(Path("report").read_text())["hosts"]["a"]["status"] == "pending"
    assert not Path(seen.partition("FLEETHANDS_REPORT=")[2].splitlines()[0]).exists()


def test_a_hook_for_another_command_does_not_run(hook: Write) -> None:
    hook("pre-rollback", "exit 1")

    found().run_before(plan())


def test_a_pre_hook_that_fails_stops_the_run_and_has_no_post_hook(hook: Write) -> None:
    hook("pre-apply", "echo no change window >&2; exit 3")
    hook("post-apply", "touch after")
    shown: list[str] = []
    hooks = found(shown)

    with pytest.raises(FleethandsError, match="hooks/pre-apply exited with 3, nothing was changed") as caught:
        hooks.run_before(plan())

    assert shown == ["pre-apply: no change window"]
    assert caught.value.hints[-1] == "to run without hooks: add `--no-hooks`"
    assert hooks.run_after(plan()) == ""
    assert not Path("after").exists()


def test_a_post_hook_that_fails_is_a_warning(hook: Write) -> None:
    hook("post-apply", 'echo "$FLEETHANDS_RESULT $FLEETHANDS_FAILED"; exit 1')
    shown: list[str] = []
    hooks = found(shown)
    hooks.run_before(plan())

    warning = hooks.run_after(Report("apply", {"a": HostReport("changed"), "b": HostReport("rolled-back")}))

    assert warning == "hooks/post-apply exited with 1; the hosts are as the report shows"
    assert shown == ["post-apply: failed b"]


@pytest.mark.parametrize(
    ("mode", "problem", "hint"),
    [
        (0o757, "every user can change the hook hooks/post-apply", "chmod o-w hooks/post-apply"),
        (0o644, "the hook hooks/post-apply is not executable", "chmod +x hooks/post-apply"),
    ],
)
def test_a_hook_with_a_wrong_mode_stops_the_run_and_the_hint_repairs_it(
    hook: Write, mode: int, problem: str, hint: str
) -> None:
    hook("post-apply", "true", mode)

    if mode != 0o644 or os.geteuid():
        with pytest.raises(FleethandsError, match=problem) as caught:
            found()
        assert caught.value.hints[0] == hint
    subprocess.run(hint, shell=True, check=True)  # noqa: S602  a hint is typed into a shell
    assert found().after is not None


def test_a_symlink_and_a_directory_are_no_hooks(hook: Write) -> None:
    hook("real", "true")
    Path("hooks/pre-apply").symlink_to("real")
    with pytest.raises(FleethandsError, match="is not a regular file"):
        found()
    Path("hooks/pre-apply").unlink()
    Path("hooks/pre-apply").mkdir()
    with pytest.raises(FleethandsError, match="is not a regular file"):
        found()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_hook_of_another_user_is_refused_unless_that_user_called_sudo(
    hook: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    os.chown(hook("pre-apply", "true"), 12345, 12345)
    with pytest.raises(FleethandsError, match="belongs to another user") as caught:
        found()
    assert caught.value.hints[0] == "if you trust it: sudo chown 0 hooks/pre-apply"

    monkeypatch.setenv("SUDO_UID", "12345")
    assert found().before is not None


def test_a_hook_that_hangs_is_ended_with_its_children(hook: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_program, "TIMEOUT", 0.5)
    hook("pre-apply", "sleep 300 & echo $! > child; sleep 300")

    with pytest.raises(FleethandsError, match="did not end within"):
        found().run_before(plan())

    assert ended(int(Path("child").read_text()))


def ended(process: int) -> bool:
    """Whether a process that was killed is gone: init may need a moment to collect it."""
    for _ in range(50):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_long_output_is_cut_and_control_characters_do_no_harm(hook: Write) -> None:
    hook("pre-apply", "seq 5000; head -c 100000 /dev/zero | tr '\\0' x; printf 'last'")
    shown: list[str] = []

    found(shown).run_before(plan())

    assert shown[0] == "pre-apply: 1"
    assert shown[1000] == "pre-apply: more than 1000 lines, the rest is not shown"
    assert len(shown) == 1001


def test_a_file_that_is_no_program_is_named(hook: Write) -> None:
    hook("pre-apply", "true").write_text("#!/no/such/shell\n")

    with pytest.raises(FleethandsError, match="hooks/pre-apply cannot be run: No such file or directory"):
        found().run_before(plan())


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "examples/hooks").iterdir()))
def test_the_examples_are_sound_and_executable(name: str) -> None:
    path = ROOT / "examples/hooks" / name

    assert os.access(path, os.X_OK)
    shellcheck = Path(sys.executable).parent / "shellcheck"
    assert subprocess.run([shellcheck, "--shell=sh", path], check=False).returncode == 0


def test_the_example_of_a_ticket_writes_one(hook: Write) -> None:
    example = (ROOT / "examples/hooks/post-apply-ticket").read_text()
    hook("post-apply", "").write_text(example)
    hooks = found()
    hooks.run_before(plan())

    assert hooks.run_after(Report("apply", {"a": HostReport("changed")})) == ""

    (ticket,) = Path("tickets").iterdir()
    assert "prod.py" in ticket.read_text()
    assert "ab12cd34" in ticket.name
