"""The strategy of a rollout: the order of hosts, the canary, the batches, and how many failures stop it."""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fleethands.errors import UsageError
from fleethands.settings.values.durations import NANOSECONDS
from fleethands.speed import parse_slowdown

_NUMBER = re.compile(r"\d{1,6}\Z", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)%\Z", re.ASCII)
_DURATION = re.compile(r"(\d{1,6})(s|m|h)?\Z", re.ASCII)


class InvalidOption(UsageError):
    """An option of a rollout has a wrong value; the hints show right ones."""


@dataclass(frozen=True)
class HostQuota:
    """A number of hosts, or a percentage of them: rounded down, and at least one."""

    amount: Fraction
    percent: bool = False

    @classmethod
    def parse(cls, option: str, text: str, least: int = 1) -> HostQuota:
        """From `3` or `25%`. Raises InvalidOption."""
        if _NUMBER.match(text) and int(text) >= least:
            return cls(Fraction(text))
        if (match := _PERCENT.match(text)) and 0 < Fraction(match[1]) <= 100:
            return cls(Fraction(match[1]), percent=True)
        raise InvalidOption(
            f"`{option} {text}`: expected a number of hosts from {least} on, or a percentage",
            f"for three hosts: `{option} 3`; for a quarter of them: `{option} 25%`",
        )

    def count_of(self, total: int) -> int:
        """How many of `total` hosts."""
        return max(1, int(self.amount * total / 100 if self.percent else self.amount))


@dataclass(frozen=True)
class Order:
    """Hosts sorted by name, with numbers as numbers; or shuffled, the same way for the same seed."""

    seed: int | None = None

    @classmethod
    def parse(cls, text: str) -> Order:
        """From `sorted`, `random` or `random:SEED`. Raises InvalidOption."""
        word, colon, seed = text.partition(":")
        if text == "sorted":
            return cls()
        if word == "random" and not colon:
            return cls(random.SystemRandom().randrange(10**6))
        if word == "random" and _NUMBER.match(seed):
            return cls(int(seed))
        raise InvalidOption(
            f"`--order {text}`: expected `sorted`, `random` or `random:SEED`", "a seed is a number: `random:7`"
        )

    def sort(self, names: Sequence[str]) -> list[str]:
        ordered = sorted(names, key=_natural_key)
        if self.seed is not None:
            random.Random(self.seed).shuffle(ordered)  # noqa: S311  an order, no secret
        return ordered

    def __str__(self) -> str:
        return "sorted" if self.seed is None else f"random:{self.seed}"


def _natural_key(name: str) -> list[tuple[int, int, str]]:
    """box-2 comes before box-10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


@dataclass(frozen=True)
class Canary:
    """
    The hosts that are updated first, and alone.

    + word: a number of hosts, or the name of one; raises InvalidOption for 0 and for an empty text
    """

    word: str

    def __post_init__(self) -> None:
        if not self.word or (not self.is_name and not int(self.word)):
            raise InvalidOption(
                f"`--canary {self.word}`: expected a number of hosts from 1 on, or the name of one of them",
                "for one host: `--canary 1`; for no canary, leave it out",
            )

    @property
    def is_name(self) -> bool:
        """Whether `word` is the name of a host, not a number of hosts."""
        return not _NUMBER.match(self.word)

    def is_in_another_part(self, names: Collection[str], fleet: Collection[str]) -> bool:
        """
        Whether the canary is a host of the fleet that this run does not update.

        + names: hosts of this run; fleet: all hosts, with those of other shards
        """
        return self.is_name and self.word in fleet and self.word not in names

    def select(self, names: Sequence[str], fleet: Sequence[str]) -> list[str]:
        """
        The canary hosts among `names`, which are in rollout order.

        + fleet: every host of the run; `names` has only those with pending changes

        Raises InvalidOption for a name that no host has.
        """
        if not self.is_name:
            return list(names[: int(self.word)])
        if self.word in fleet:
            return [name for name in names if name == self.word]
        near = difflib.get_close_matches(self.word, fleet, 1, cutoff=0.4) or list(fleet[:1])
        raise InvalidOption(
            f"`--canary {self.word}`: expected a number of hosts, or the name of one of them",
            *(f"nearest is `--canary {name}`" for name in near),
        )


@dataclass(frozen=True)
class Batch:
    """Hosts that are updated at the same time."""

    label: str
    names: tuple[str, ...]
    canary: bool = False


@dataclass(frozen=True)
class RolloutStrategy:
    """
    How a rollout proceeds.

    + canary: None for no canary; batch: None for all hosts at once
    + failure_limit: stop after this many failed hosts
    + rolls_back: restore the last proven state of a host that fails
    + drain_timeout: seconds to wait for the requests under way before a host changes that is behind a gateway; 0: no
      host is taken out
    """

    order: Order = Order()
    canary: Canary | None = None
    batch: HostQuota | None = None
    failure_limit: HostQuota = HostQuota(Fraction(1))
    rolls_back: bool = True
    drain_timeout: float = 600.0

    def batches(self, names: Sequence[str], fleet: Sequence[str]) -> list[Batch]:
        """
        Split `names` into the canary and the batches, in rollout order. Raises InvalidOption.

        + fleet: every host of the run; `names` has only those with pending changes
        """
        ordered = self.order.sort(names)
        first = self.canary.select(ordered, self.order.sort(fleet)) if self.canary else []
        rest = [name for name in ordered if name not in first]
        size = self.batch.count_of(len(ordered)) if self.batch else max(1, len(rest))
        parts = [tuple(rest[at : at + size]) for at in range(0, len(rest), size)]
        canary = [Batch("canary", tuple(first), canary=True)] if first else []
        return canary + [Batch(f"batch {number} of {len(parts)}", part) for number, part in enumerate(parts, 1)]

    def has_reached_limit(self, failed: int, total: int) -> bool:
        """Whether this many failed hosts stop a rollout over `total` hosts."""
        return failed >= self.failure_limit.count_of(total)


def parse_duration(option: str, text: str) -> float:
    """Seconds of a duration such as `90s`, `20m` or `2h`. Raises InvalidOption."""
    match = _DURATION.match(text)
    if not match or not int(match[1]):
        raise InvalidOption(f"`{option} {text}`: expected a duration", f"for twenty minutes: `{option} 20m`")
    return int(match[1]) * NANOSECONDS[match[2] or "s"] / 10**9


def parse_drain_timeout(text: str) -> float:
    """Seconds of `--drain-timeout`, `0` for none. Raises InvalidOption."""
    return 0.0 if text == "0" else parse_duration("--drain-timeout", text)


def check_slowdown(limit: str | None, verify: str) -> None:
    """
    Check a limit such as `20%`. The proof measures the speed, so a rollout without proofs can have no limit.

    + limit: None for none. An empty text is a mistake, such as a variable that is not set

    Raises InvalidOption.
    """
    if limit is None:
        return
    try:
        parse_slowdown(limit)
    except ValueError as error:
        raise InvalidOption(f"`--max-slowdown {limit}`: {error}", "for a fifth: `--max-slowdown 20%`") from None
    if verify == "never":
        raise InvalidOption("`--max-slowdown` needs a proof, and `--verify never` makes none", "leave out one of them")
