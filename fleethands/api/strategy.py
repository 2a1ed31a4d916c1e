"""How `Fleet.apply` goes over a fleet."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from fleethands.errors import UsageError
from fleethands.rollout.strategy import (
    Canary,
    HostQuota,
    InvalidOption,
    Order,
    RolloutStrategy,
    check_slowdown,
    parse_duration,
)

_OPTION = re.compile(r"--(?P<name>[a-z-]+) (?P<value>[^`]*)")


@dataclass(frozen=True)
class Strategy:
    """
    How a rollout proceeds: the options of `fleethands apply`.

    + canary: a number of hosts, or the name of a host, to update first; None for no canary
    + batch: a number of hosts, or a percentage such as `"25%"`, to update at a time; None for all at once
    + max_fail: a number or percentage of failed hosts that stops the rollout
    + order: `"sorted"`, `"random"` or `"random:SEED"`
    + rollback: restore the last proven state of a host that fails
    + drain_timeout: how long to wait for requests under way before a host changes that is behind a gateway: seconds,
      or text such as `"10m"`; 0: no host is taken out of its gateways
    + max_slowdown: fail a host whose tokens a second fell by more than this percentage since its release record, such
      as `"20%"`; None for no limit

    Raises UsageError for a wrong value.

    Example: `Strategy(canary=1, batch="25%", max_fail=2)`
    """

    canary: int | str | None = None
    batch: int | str | None = None
    max_fail: int | str = 1
    order: str = "sorted"
    rollback: bool = True
    max_slowdown: str | None = None
    drain_timeout: str | float = "10m"

    def __post_init__(self) -> None:
        make_rollout(self)


def make_rollout(strategy: Strategy) -> RolloutStrategy:
    """The strategy as the rollout takes it. Raises UsageError."""
    try:
        check_slowdown(None if strategy.max_slowdown is None else str(strategy.max_slowdown), "changed")
        return RolloutStrategy(
            order=Order.parse(str(strategy.order)),
            canary=None if strategy.canary is None else Canary(_word("canary", strategy.canary)),
            batch=None if strategy.batch is None else HostQuota.parse("--batch", _word("batch", strategy.batch)),
            failure_limit=HostQuota.parse("--max-fail", _word("max_fail", strategy.max_fail), least=0),
            rolls_back=strategy.rollback,
            drain_timeout=0.0 if strategy.drain_timeout == 0 else to_seconds("drain_timeout", strategy.drain_timeout),
        )
    except InvalidOption as error:
        raise in_python(error) from None


def _word(name: str, value: object) -> str:
    if isinstance(value, bool) or value == "" or not isinstance(value, int | str):
        raise UsageError(f"`{name}={value!r}`: expected a number or a text")
    return str(value)


def list_options(strategy: Strategy) -> tuple[tuple[str, ...], ...]:
    """The options of the command line that have the same effect; none for the defaults."""
    default, options = Strategy(), []
    for name in ("canary", "batch", "max_fail", "order", "max_slowdown", "drain_timeout"):
        if (value := getattr(strategy, name)) != getattr(default, name):
            options.append((f"--{name.replace('_', '-')}", str(value)))
    return (*options, *([] if strategy.rollback else [("--no-rollback",)]))


def to_seconds(name: str, duration: str | float) -> float:
    """
    A duration in seconds.

    + name: of the parameter
    + duration: a number of seconds, or text such as `"90s"`, `"20m"` or `"2h"`

    Raises UsageError.
    """
    if isinstance(duration, int | float) and not isinstance(duration, bool) and 0 < duration < math.inf:
        return float(duration)
    try:
        return parse_duration(f"--{name.replace('_', '-')}", str(duration))
    except InvalidOption as error:
        raise in_python(error) from None


def in_python(error: UsageError) -> UsageError:
    """An error that names options of the command line, with the parameters of the same effect in their place."""

    def parameter(match: re.Match[str]) -> str:
        value = match["value"]
        return f"{match['name'].replace('-', '_')}={value if value.isdecimal() else repr(value)}"

    return UsageError(_OPTION.sub(parameter, str(error)), *(_OPTION.sub(parameter, hint) for hint in error.hints))
