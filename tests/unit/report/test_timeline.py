"""When hosts were worked on; the clocks are the test's own, pyinfra's host and state no more than names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fleethands.report.step import Step
from fleethands.report.timeline import CONNECT, READ, Timeline

NAMES = {"1": "Ollama | Write the override", "2": "Models | Pull what is missing"}
STATE: Any = SimpleNamespace(
    is_executing=False, get_op_meta=lambda op_hash: SimpleNamespace(names={NAMES[op_hash]}), hosts=[]
)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def wall(self) -> float:
        return 1000.0 + self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timeline(clock: Clock) -> Timeline:
    return Timeline(clock.wall, lambda: clock.now)


def host(name: str) -> Any:
    return SimpleNamespace(name=name)


def test_a_host_is_connected_read_and_changed(timeline: Timeline, clock: Clock) -> None:
    one = host("gpu-1")
    timeline.host_before_connect(STATE, one)
    clock.now += 2
    timeline.host_connect(STATE, one)
    with timeline.step("gpu-1", READ):
        clock.now += 3
    timeline.operation_host_start(STATE, one, "1")
    clock.now += 5
    timeline.operation_host_success(STATE, one, "1", 0)
    timeline.operation_host_start(STATE, one, "2")
    clock.now += 7
    timeline.operation_host_error(STATE, one, "2", 0, 0)

    assert timeline.steps("gpu-1") == [
        Step(CONNECT, 1000, 2),
        Step(READ, 1002, 3),
        Step(NAMES["1"], 1005, 5),
        Step(NAMES["2"], 1010, 7, ok=False),
    ]
    assert timeline.steps("gpu-2") == []


def test_hosts_side_by_side_do_not_mix(timeline: Timeline, clock: Clock) -> None:
    one, two = host("gpu-1"), host("gpu-2")
    timeline.operation_host_start(STATE, one, "1")
    clock.now += 1
    timeline.operation_host_start(STATE, two, "1")
    clock.now += 1
    timeline.operation_host_success(STATE, one, "1")
    clock.now += 1
    timeline.operation_host_success(STATE, two, "1")

    assert timeline.steps("gpu-1") == [Step(NAMES["1"], 1000, 2)]
    assert timeline.steps("gpu-2") == [Step(NAMES["1"], 1001, 2)]


def test_what_never_ended_is_there_until_now_and_has_failed(timeline: Timeline, clock: Clock) -> None:
    one = host("gpu-1")
    timeline.operation_host_start(STATE, one, "2")
    clock.now += 4
    assert timeline.steps("gpu-1") == [Step(NAMES["2"], 1000, 4, ok=False)]
    timeline.leave("gpu-1")
    clock.now += 100
    assert timeline.steps("gpu-1") == [Step(NAMES["2"], 1000, 4, ok=False)]


def test_an_exception_is_a_failure_of_its_step(timeline: Timeline, clock: Clock) -> None:
    def look() -> None:
        with timeline.step("gpu-1", "Look"):
            clock.now += 1
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        look()
    assert timeline.steps("gpu-1") == [Step("Look", 1000, 1, ok=False)]
