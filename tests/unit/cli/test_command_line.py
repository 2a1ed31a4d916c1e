"""A command line as hints and reports have it: whole, able to be typed, and for the hosts that are meant."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatch

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleethands.cli.interface import cli
from fleethands.cli.run_command import command_line_of
from fleethands.command_line import CommandLine

FLEET = CommandLine("apply", "fleet.py", "gpu-*", "gpu-9", "1/4", ("models_prune=true",), options=(("--canary", "1"),))
name = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


def typed(words: Sequence[str]) -> CommandLine:
    """What click makes of a command line."""
    context = cli.make_context("fleethands", list(words))
    command_name, command, arguments = cli.resolve_command(context, [*context.protected_args, *context.args])
    assert command_name
    assert command
    return command_line_of(command.make_context(command_name, arguments, context))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--canary", "1", "--lock-wait", "30", "--yes"], "fleet.py --canary 1 --lock-wait 30"),
        (["--no-rollback", "--verify", "always", "--json"], "fleet.py --no-rollback --verify always"),
        (["--canary", "a b; reboot"], "fleet.py --canary 'a b; reboot'"),
        (["--retry-failed", "out", "--report", "new", "--summary", "s.md"], "fleet.py --retry-failed out"),
        (["--upstream", "--hosts", "a", "--hosts", "b,c"], "fleet.py --hosts a,b,c --upstream"),
        (["--max-fail", "1"], "fleet.py --max-fail 1"),  # typed, though it is the default
        ([], "fleet.py"),
    ],
)
def test_what_was_typed_is_shown_without_yes_and_the_places_of_reports(words: list[str], text: str) -> None:
    line = typed(["apply", "fleet.py", *words])

    assert line.arguments == text
    assert str(line) == f"fleethands apply {text}"
    assert line.repeated == f"fleethands apply {text}{' --yes' if '--yes' in words else ''}"


def test_an_option_that_may_be_given_several_times_is_shown_each_time() -> None:
    assert typed(["pin", "fleet.py", "--only", "a", "--only", "b"]).arguments == "fleet.py --only a --only b"


def test_an_option_can_be_left_out() -> None:
    line = typed(["apply", "fleet.py", "--canary", "1", "--lock-wait", "30"])

    assert line.without("--lock-wait").arguments == "fleet.py --canary 1"
    assert line.fleet.arguments == "fleet.py"


def test_a_value_that_may_be_secret_is_never_shown() -> None:
    line = typed(["apply", "fleet.py", "--data", 'openhands_env={"TOKEN": "hunter2"}'])

    assert "hunter2" not in f"{line}{line.repeated}{line.only('a')}{line.for_command('plan')}"
    assert line.arguments == "fleet.py --data 'openhands_env=…'"


@pytest.mark.parametrize(
    "line",
    [
        FLEET,
        CommandLine("plan", "@local", upstream=True),
        CommandLine("verify", "root@box", options=(("--checksums",), ("--conversation",))),
        CommandLine("plan"),
    ],
)
def test_the_text_in_a_report_is_read_back(line: CommandLine) -> None:
    assert CommandLine.parse(line.command, line.arguments) == line


def test_text_that_no_shell_can_read_is_dropped() -> None:
    assert CommandLine.parse("plan", "it's") == CommandLine("plan")


def test_one_host_takes_the_place_of_all_that_were_chosen() -> None:
    one = FLEET.only("gpu-7")

    assert str(one) == "fleethands apply fleet.py --hosts gpu-7 --data models_prune=true --canary 1"


def test_a_host_is_reached_as_before_without_its_settings() -> None:
    line = replace(FLEET, data=(*FLEET.data, "ssh_user=me", "_sudo=true"))

    again = "fleethands lock release fleet.py --hosts gpu-7 --data ssh_user=me --data _sudo=true"
    assert str(line.reach_only("lock release", "gpu-7")) == again


@given(name)
def test_a_name_is_one_word_and_matches_no_other(name: str) -> None:
    *_, pattern = shlex.split(str(CommandLine("plan", "fleet.py").only(name)))

    assert fnmatch(name, pattern)
    assert not fnmatch(f"{name}x", pattern)


@pytest.mark.parametrize("name", ["root@[::1]", "*", "gpu-?", "$(reboot)", "a b"])
def test_what_a_shell_or_a_pattern_would_act_on_is_only_a_name(name: str) -> None:
    *_, pattern = shlex.split(CommandLine("plan", "fleet.py").only(name).arguments)

    assert fnmatch(name, pattern)
    assert not fnmatch("gpu-1", pattern)


@pytest.mark.parametrize(
    ("words", "hints"),
    [
        (["plan", "fleet.py"], []),
        (["verify", "fleet.py"], []),
        (["apply", "fleet.py", "--canary", "1"], ["the next run completes it: `fleethands apply fleet.py --canary 1`"]),
        (
            ["uninstall", "fleet.py", "--models", "--yes"],
            ["the next run completes it: `fleethands uninstall fleet.py --models`"],
        ),
        (
            ["rollback", "fleet.py", "--to", "current"],
            ["the next run completes it: `fleethands rollback fleet.py --hosts gpu-7 --to current`"],
        ),
        (
            ["rollback", "fleet.py", "--shard", "1/4"],
            [
                "to restore the current record: `fleethands rollback fleet.py --hosts gpu-7 --to current`",
                "to restore the previous record: `fleethands rollback fleet.py --hosts gpu-7 --to previous`",
            ],
        ),
    ],
)
def test_what_was_begun_is_completed_by_the_command_that_began_it(words: list[str], hints: list[str]) -> None:
    assert typed(words).resume_hints("gpu-7") == hints


@pytest.mark.parametrize(
    ("hint", "completed"),
    [
        ("on this machine: fleethands apply", "on this machine: fleethands apply fleet.py --data a=1"),
        (
            "or: on this machine: fleethands apply --data openhands_settings=enforced",
            "or: on this machine: fleethands apply fleet.py --data a=1 --data openhands_settings=enforced",
        ),
        (
            "on this machine: fleethands pin --only m:1",
            "on this machine: fleethands pin fleet.py --data a=1 --only m:1",
        ),
        ("on this machine: fleethands applyx", "on this machine: fleethands applyx"),
        ("on the host: docker pull x", "on the host: docker pull x"),
    ],
)
def test_a_hint_for_this_machine_gets_the_target_and_the_settings(hint: str, completed: str) -> None:
    line = CommandLine("verify", "fleet.py", data=("a=1",), options=(("--checksums",),))

    assert line.complete_hint(hint) == completed


def test_help_is_no_command_line() -> None:
    with pytest.raises(click.exceptions.Exit):
        typed(["apply", "--help"])
