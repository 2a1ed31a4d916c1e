"""`fleethands logs`: its words, and its script on a host whose systemd and Docker are stand-ins."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fleethands.everyday.logs import LOGS, log_jobs
from fleethands.script import PATH
from tests.helpers.executing import fleethands

MARK = "@@0123"
SYSTEMCTL = 'case "$* " in "show $UNIT "*) echo loaded ;; "show "*) echo not-found ;; *) exit 0 ;; esac'
DOCKER = """case $1 in
  container) [ -z "$SAYS" ] || { echo "$SAYS" >&2; exit 1; }; echo found ;;
  *) echo "docker $*" ;;
esac"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Stand-ins that print their arguments. `UNIT` is the unit that exists, `SAYS` is what Docker says instead."""
    scripts = {"systemctl": SYSTEMCTL, "docker": DOCKER, "journalctl": 'echo "journalctl $*"'}
    for name, body in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def printed(
    tools: Path,
    log: str,
    *,
    since: float | None = None,
    follow: bool = False,
    **variables: str,
) -> tuple[list[str], str]:
    """The lines of the script, and its error output. Its input stays open, as it does over SSH."""
    (job,) = log_jobs(["box"], [log], lines=7, since=since, follow=follow).values()
    text = job.script(MARK).text.replace(f"PATH={PATH}", f"PATH={tools}:{PATH}")
    pipe = subprocess.PIPE
    with subprocess.Popen(
        ["sh", "-s"], stdin=pipe, stdout=pipe, stderr=pipe, text=True, env={**os.environ, "SAYS": "", **variables}
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(text)
        process.stdin.flush()
        return process.stdout.read().splitlines(), process.stderr.read()


def test_the_log_of_ollama_is_the_journal_of_its_unit(tools: Path) -> None:
    lines, _ = printed(tools, "ollama", UNIT="ollama.service", since=5400.0, follow=True)

    assert lines == [
        f"{MARK} begin journalctl -u ollama.service",
        "journalctl --unit ollama.service --no-pager --quiet --output short-iso --lines 7 --since -5400s --follow",
    ]


def test_the_log_of_openhands_is_that_of_its_container(tools: Path) -> None:
    lines, _ = printed(tools, "openhands", UNIT="openhands.service", since=60.0)

    assert lines == [
        f"{MARK} begin docker logs openhands-app",
        "docker logs --timestamps --tail 7 --since 60s openhands-app",
    ]


def test_without_a_container_it_is_the_journal_of_a_build_from_source(tools: Path) -> None:
    lines, _ = printed(tools, "openhands", UNIT="openhands.service", SAYS="Error: No such container: openhands-app")

    assert lines[0] == f"{MARK} begin journalctl -u openhands.service"


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("ollama", "Ollama is not on this host: it has no unit ollama.service"),
        ("openhands", "OpenHands is not on this host: no container openhands-app, no unit openhands.service"),
    ],
)
def test_a_log_that_is_not_there_has_a_reason(tools: Path, log: str, reason: str) -> None:
    lines, _ = printed(tools, log, UNIT="other.service", SAYS="Error: No such container: openhands-app")

    assert lines == [f"{MARK} absent {reason}"]


def test_docker_that_does_not_answer_is_not_the_same_as_no_container(tools: Path) -> None:
    lines, errors = printed(tools, "openhands", UNIT="", SAYS="context deadline exceeded")

    assert lines == []
    assert errors.splitlines() == [
        "error: Docker does not answer: context deadline exceeded",
        "hint: on the host: systemctl restart docker",
    ]


def test_a_host_and_a_log_make_one_job_each() -> None:
    jobs = log_jobs(["a", "b"], LOGS, lines=1, since=None, follow=False)

    assert [*jobs] == ["a ollama", "a openhands", "b ollama", "b openhands"]


def test_a_log_may_come_without_a_target(tmp_path: Path) -> None:
    code, _, err = fleethands(tmp_path, "logs", "openhands")

    assert (code, "no inventory is given" in err) == (64, True)


def test_a_document_has_an_end(tmp_path: Path) -> None:
    code, _, err = fleethands(tmp_path, "logs", "@local", "-f", "--json")

    assert (code, "`--follow` has no end" in err) == (64, True)
