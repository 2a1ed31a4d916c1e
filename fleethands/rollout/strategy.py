"""The words of a rollout: in which order hosts are taken, how many at a time, and how many failures end it."""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fleethands.errors import UsageError
from fleethands.settings.values.durations import NANOSECONDS

_NUMBER = re.compile(r"\d{1,6}\Z", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)%\Z", re.ASCII)
_DURATION = re.compile(r"(\d{1,6})(s|m|h)?\Z", re.ASCII)


class InvalidOption(UsageError):
    """An option of a rollout has a wrong value; the hints show right ones."""


@dataclass(frozen=True)
class HostQuota:
    """So many hosts, or so many per cent of them: rounded down, and never none."""

    amount: Fraction
    percent: bool = False

    @classmethod
    def read(cls, option: str, text: str, least: int = 1) -> HostQuota:
        """Of `3` or `25%`. Raises InvalidOption."""
        if _NUMBER.match(text) and int(text) >= least:
            return cls(Fraction(text))
        if (match := _PERCENT.match(text)) and 0 < Fraction(match[1]) <= 100:
            return cls(Fraction(match[1]), percent=True)
        raise InvalidOption(
            f"`{option} {text}`: expected a number of hosts from {least} on, or a percentage",
            f"for three hosts: `{option} 3`; for a quarter of them: `{option} 25%`",
        )

    def of(self, count: int) -> int:
        """How many of `count` hosts."""
        return max(1, int(self.amount * count / 100 if self.percent else self.amount))


@dataclass(frozen=True)
class Order:
    """Hosts by name, their numbers as numbers; or shuffled, the same way for the same seed."""

    seed: int | None = None

    @classmethod
    def read(cls, text: str) -> Order:
        """Of `sorted`, `random` or `random:SEED`. Raises InvalidOption."""
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

    def of(self, names: Sequence[str]) -> list[str]:
        ordered = sorted(names, key=_naturally)
        if self.seed is not None:
            random.Random(self.seed).shuffle(ordered)  # noqa: S311  an order, no secret
        return ordered

    def __str__(self) -> str:
        return "sorted" if self.seed is None else f"random:{self.seed}"


def _naturally(name: str) -> list[tuple[int, int, str]]:
    """box-2 comes before box-10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


@dataclass(frozen=True)
class Canary:
    """The hosts that go first, and alone: the first few, or the one of this name. Raises InvalidOption for none."""

    word: str

    def __post_init__(self) -> None:
        if not self.is_name and not int(self.word):
            raise InvalidOption(
                f"`--canary {self.word}`: expected a number of hosts from 1 on, or the name of one of them",
                "for one host: `--canary 1`; for no canary, leave it out",
            )

    @property
    def is_name(self) -> bool:
        """Whether it is the name of a host, and no number of them."""
        return not _NUMBER.match(self.word)

    def is_in_another_part(self, here: Collection[str], fleet: Collection[str]) -> bool:
        """
        Whether it is the name of a host that is none of these.

        + here: hosts of this part of a fleet; fleet: of all of it
        """
        return self.is_name and self.word in fleet and self.word not in here

    def of(self, names: Sequence[str], fleet: Sequence[str]) -> list[str]:
        """
        Those of `names`, which are in order, that go first.

        + fleet: all hosts that there are; a name among them that has nothing to do is none of `names`

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
    """Hosts that are taken side by side."""

    label: str
    names: tuple[str, ...]
    canary: bool = False


@dataclass(frozen=True)
class RolloutStrategy:
    """
    How a rollout goes.

    + canary: None for none; batch: None for all at once
    + max_fail: so many failed hosts end it
    + back: a host that failed goes back to what it was
    """

    order: Order = Order()
    canary: Canary | None = None
    batch: HostQuota | None = None
    failure_limit: HostQuota = HostQuota(Fraction(1))
    back: bool = True

    def groups(self, names: Sequence[str], fleet: Sequence[str]) -> list[Batch]:
        """The hosts of `names` in the order and the company in which they are taken. Raises InvalidOption."""
        ordered = self.order.of(names)
        first = self.canary.of(ordered, self.order.of(fleet)) if self.canary else []
        rest = [name for name in ordered if name not in first]
        size = self.batch.of(len(ordered)) if self.batch else max(1, len(rest))
        batches = [tuple(rest[at : at + size]) for at in range(0, len(rest), size)]
        groups = [Batch("canary", tuple(first), canary=True)] if first else []
        return groups + [Batch(f"batch {number} of {len(batches)}", batch) for number, batch in enumerate(batches, 1)]

    def is_over(self, failed: int, count: int) -> bool:
        """Whether so many failed ones of `count` hosts end the rollout."""
        return failed >= self.failure_limit.of(count)


def parse_duration(option: str, text: str) -> float:
    """Of a duration as `90s`, `20m` or `2h`. Raises InvalidOption."""
    match = _DURATION.match(text)
    if not match or not int(match[1]):
        raise InvalidOption(f"`{option} {text}`: expected a duration", f"for twenty minutes: `{option} 20m`")
    return int(match[1]) * NANOSECONDS[match[2] or "s"] / 10**9
