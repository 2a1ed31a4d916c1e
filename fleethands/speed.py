"""How fast a model answers on a host: what a proof measured, and what a release record keeps of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from fleethands.untrusted import count, line, mapping

LEAST_RATE = 0.001  # tokens a second, the least that the proof's script measures
MOST = 1e9  # tokens a second, or seconds: far more than any host has
MOST_PERCENT = 1e6
_PERCENT = re.compile(r"(\d{1,2}(?:\.\d{1,3})?)%\Z", re.ASCII)


@dataclass(frozen=True)
class Speed:
    """
    The speed of one model on one host: medians over several answers to one fixed prompt.

    + model, digest: what answered; the digest is empty if it is unknown
    + prompt: version of the prompt
    + answers: how many answers were measured
    + tokens_per_second, tokens_per_second_noise: the median, and how far single answers typically are from it
    + first_token_seconds, first_token_seconds_noise: the same of the time to the first token
    + load_seconds: how long the model took to load; None if it was loaded already
    + before: tokens a second by the release record before; None where nothing can be compared
    + cpu_wait_percent: how much of its time the most delayed thread of Ollama, or the virtual machine, waited for a CPU; 0 if unknown
    + slowdown_percent, uncertainty_percent: how much slower than before, and by how much that may be wrong
    """

    model: str
    digest: str
    prompt: int
    answers: int
    tokens_per_second: float
    tokens_per_second_noise: float
    first_token_seconds: float
    first_token_seconds_noise: float
    load_seconds: float | None = None
    before: float | None = None
    cpu_wait_percent: float | None = None
    slowdown_percent: float | None = None
    uncertainty_percent: float | None = None

    def __str__(self) -> str:
        return f"{format_rate(self.tokens_per_second)} tokens/s"

    def to_json(self) -> dict[str, Any]:
        """The speed as JSON. Values that were not measured are null."""
        return asdict(self)


def read_speed(value: Any) -> Speed:
    """
    The speed in a JSON object that a host or a report file has. Unknown keys are ignored.

    Raises ValueError, LookupError.
    """
    row = mapping(value)
    return Speed(
        line(row["model"]),
        line(row["digest"]),
        count(row["prompt"]),
        count(row["answers"]),
        *(_number(row[key]) for key in ("tokens_per_second", "tokens_per_second_noise")),
        *(_number(row[key]) for key in ("first_token_seconds", "first_token_seconds_noise")),
        *(_optional(row.get(key)) for key in ("load_seconds", "before", "cpu_wait_percent")),
        *(_optional(row.get(key), -MOST_PERCENT) for key in ("slowdown_percent", "uncertainty_percent")),
    )


def _optional(value: Any, least: float = 0) -> float | None:
    return None if value is None else _number(value, least)


def _number(value: Any, least: float = 0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= MOST:
        raise ValueError("not a number of a speed")
    return float(value)


def format_rate(tokens_per_second: float) -> str:
    """
    Three digits of a rate, as proof's script shows them.

    Example: `format_rate(62.04)` is `62.0`.
    """
    digits = 0 if tokens_per_second >= 100 else 1 if tokens_per_second >= 10 else 2
    return f"{tokens_per_second:.{digits}f}"


def format_rates(speeds: Iterable[Speed]) -> str:
    """
    The speed of one host, or of several; empty for none.

    Example: `31.2 tokens/s`, or `30.9 to 31.2 tokens/s`.
    """
    rates = sorted(speed.tokens_per_second for speed in speeds)
    shown = list(dict.fromkeys(format_rate(rate) for rate in (rates[:1] + rates[-1:])))
    return f"{' to '.join(shown)} tokens/s" if shown else ""


def parse_slowdown(text: str) -> float:
    """
    The percentage of a limit such as `20%`: from 0 up to, but without, 100.

    Raises ValueError.
    """
    match = _PERCENT.match(text)
    if not match:
        raise ValueError(f"expected a percentage from `0%` to below `100%`, got `{text}`")
    return float(match[1])
