"""A problem and its exception say the same."""

import pytest

from fleethands.errors import FleethandsError, Problem


@pytest.mark.parametrize(
    "error",
    [FleethandsError("no room", "free some: `df -h`"), FleethandsError(Problem("no room", ("free some: `df -h`",)))],
)
def test_an_error_has_the_message_and_the_hints_of_its_problem(error: FleethandsError) -> None:
    assert str(error) == "no room"
    assert error.problem == Problem("no room", ("free some: `df -h`",))
    assert error.hints == ("free some: `df -h`",)
