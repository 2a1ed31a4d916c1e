"""What a program gives a fleet, as hints repeat it: command lines for a target, and calls for hosts in code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleethands import Secret, Strategy, UsageError
from fleethands.api.code_line import CodeLine
from fleethands.api.lines import connection_pairs, shown_pairs
from fleethands.api.strategy import list_options, make_rollout, to_seconds
from fleethands.command_line import CommandLine
from fleethands.data_pairs import format_pairs, parse_pair

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
TWO = {"gpu-1": ("ssh_port=22",), "gpu-2": ()}


@given(VALUES)
def test_the_command_line_reads_the_same_value(value: Any) -> None:
    assert [parse_pair(pair) for pair in format_pairs({"key": value})] == [("key", value)]


def test_what_is_no_json_or_a_password_is_left_out() -> None:
    assert format_pairs({"gpu": True, "ollama_env": {"KEY": Secret.env("KEY")}, "path": Path("x")}) == ("gpu=true",)
    assert shown_pairs({"ssh_password": "hunter2", "_sudo_password": "hunter2", "hf_token": "x", "ssh_key": "id"}) == (
        "ssh_key=id",
    )
    assert shown_pairs({"ssh_paramiko_connect_kwargs": {"passphrase": "hunter2"}, "_env": {"A_TOKEN": "x"}}) == ()
    assert shown_pairs({"_env": {"A": "1"}}) == ('_env={"A": "1"}',)
    assert connection_pairs({"ssh_user": "me", "ssh_password": "hunter2", "models": []}) == ("ssh_user=me",)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (CodeLine("apply", connections=TWO), "fleet.apply()"),
        (CodeLine("apply", connections=TWO).only("gpu-1"), "fleet.select('gpu-1').apply()"),
        (CodeLine("apply", options=list_options(Strategy(canary=1))), "fleet.apply(strategy)"),
        (
            CodeLine("apply", options=(("--verify", "never"),), upstream=True),
            'fleet.apply(verify="never", upstream=True)',
        ),
        (
            CodeLine("apply", options=(("--bundle", "/mnt/old"), ("--bundle", "/mnt/new"))),
            "fleet.apply(bundle=['/mnt/old', '/mnt/new'])",
        ),
        (CodeLine("rollback", options=(("--to", "current"),)), 'fleet.rollback(to="current")'),
        (CodeLine("apply", connections=TWO).for_command("trust"), "fleethands trust gpu-1,gpu-2"),
        (CodeLine("apply", connections=TWO).trust("gpu-1"), "fleethands trust gpu-1 --data ssh_port=22"),
        (CodeLine("apply", connections=TWO).for_command("trust").only("gpu-2"), "fleethands trust gpu-2"),
        (
            CodeLine("apply", connections=TWO).reach_only("lock release", "gpu-1"),
            "fleethands lock release gpu-1 --data ssh_port=22",
        ),
    ],
)
def test_hints_of_a_fleet_in_code_are_calls(line: CommandLine, shown: str) -> None:
    assert str(line) == shown


def test_hints_of_hosts_become_calls() -> None:
    line = CodeLine("apply", options=list_options(Strategy(batch=1)), connections=TWO)

    assert line.waiting(600) == "fleet.apply(strategy, lock_wait=600)"
    assert line.complete_hint("on this machine: fleethands apply") == "on this machine: fleet.apply()"
    assert line.complete_hint("on this machine: fleethands apply --verify always") == (
        'on this machine: fleet.apply(verify="always")'
    )
    assert line.complete_hint("see what it says") == "see what it says"
    assert CodeLine("rollback", connections=TWO).resume_hints("gpu-1") == [
        """to restore the current record: `fleet.select('gpu-1').rollback(to="current")`""",
        """to restore the previous record: `fleet.select('gpu-1').rollback(to="previous")`""",
    ]


def test_a_strategy_is_the_options_of_apply() -> None:
    strategy = Strategy(canary="gpu-1", batch="25%", max_fail=2, order="random:7", rollback=False, max_slowdown="20%")

    words = [word for option in list_options(strategy) for word in option]
    assert words == [
        *("--canary", "gpu-1", "--batch", "25%", "--max-fail", "2", "--order", "random:7"),
        *("--max-slowdown", "20%", "--no-rollback"),
    ]
    assert list_options(Strategy()) == ()
    assert str(make_rollout(strategy).order) == "random:7"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"canary": 0}, "`canary=0`: expected a number of hosts from 1 on, or the name of one of them"),
        ({"batch": "200%"}, "`batch='200%'`: expected a number of hosts from 1 on, or a percentage"),
        ({"max_fail": -1}, "`max_fail='-1'`: expected a number of hosts from 0 on, or a percentage"),
        ({"canary": True}, "`canary=True`: expected a number or a text"),
        ({"batch": ""}, "`batch=''`: expected a number or a text"),
        ({"max_fail": None}, "`max_fail=None`: expected a number or a text"),
        ({"order": None}, "`order='None'`: expected `sorted`, `random` or `random:SEED`"),
        ({"order": "up"}, "`order='up'`: expected `sorted`, `random` or `random:SEED`"),
    ],
)
def test_a_wrong_strategy_is_an_error_at_once(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Strategy(**wrong)

    assert str(caught.value) == message
    assert all("--" not in hint for hint in caught.value.hints)


def test_durations() -> None:
    assert [to_seconds("host_timeout", each) for each in (90, 0.5, "20m", "2h")] == [90, 0.5, 1200, 7200]
    with pytest.raises(UsageError, match="`host_timeout='soon'`: expected a duration"):
        to_seconds("host_timeout", "soon")
    for wrong in (None, True, float("inf")):
        with pytest.raises(UsageError, match="expected a duration"):
            to_seconds("host_timeout", wrong)  # type: ignore[arg-type]
