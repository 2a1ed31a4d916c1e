"""What the proof's script has to know to measure the speed, and to compare it with the release record."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.record import Record
from fleethands.operations.core.release_record import current_record
from fleethands.settings import HostSettings
from fleethands.speed import LEAST_RATE, Speed, parse_slowdown

PROMPT = 1  # raise it with each change of the request: only answers to the same prompt are compared
LEAST_ANSWERS = 3  # with fewer of them, the noise is unknown


@dataclass(frozen=True, kw_only=True)
class SpeedVariables:
    """
    The request, and what the host is compared with.

    + speed_request: JSON with the placeholders NONCE, which makes each prompt another one, and "LENGTH", in tokens
    + speed_of: fields of JSON that name the model and the prompt
    + before, before_noise, before_answers: tokens a second by the release record; empty: there is nothing to compare
    + before_spread: by how much the two newest records differ, as a part of their mean that is a standard deviation
    + uncompared: why not
    + slowdown_limit: percent by which the host may be slower; empty for no limit
    + ollama_container: its name, where Ollama runs in a container
    """

    speed_request: str
    speed_of: str
    before: str = ""
    before_noise: str = ""
    before_answers: str = ""
    before_spread: str = "0"
    uncompared: str = ""
    slowdown_limit: str = ""
    ollama_container: str = paths.OLLAMA_CONTAINER


def speed_variables(
    settings: HostSettings, probe: Probe, request: dict[str, object], limit: str = ""
) -> SpeedVariables:
    """
    The variables of 5-speed.sh.

    + request: the proof's own request for this model; limit: such as `20%`

    Raises ValueError for a limit that is no percentage.
    """
    model = str(settings.model)
    digest = probe.models.get(model, "") if probe.knows("models") else ""
    percent = f"{parse_slowdown(limit):g}" if limit else ""
    known = _find_before(settings, probe, digest)
    if isinstance(known, str):
        return replace(uncompared_speed(settings, request, known, digest), slowdown_limit=percent)
    return replace(
        uncompared_speed(settings, request, "", digest),
        before=f"{known.tokens_per_second:f}",
        before_noise=f"{known.tokens_per_second_noise:f}",
        before_answers=str(known.answers),
        before_spread=f"{_spread(settings, probe, known):.4f}",
        slowdown_limit=percent,
    )


def uncompared_speed(settings: HostSettings, request: dict[str, object], why: str, digest: str = "") -> SpeedVariables:
    """The variables of a speed that is measured, and compared with nothing."""
    words = json.dumps({"model": str(settings.model), "digest": digest, "prompt": PROMPT})[1:-1]
    return SpeedVariables(speed_request=json.dumps(_request(request)), speed_of=words, uncompared=why)


def _request(request: dict[str, object]) -> dict[str, object]:
    """The greedy answer of a fixed seed, as a stream, whose first token shows."""
    options = {"num_predict": "LENGTH", "temperature": 0, "seed": 1}
    return {**request, "prompt": "NONCE. Describe a lighthouse.", "stream": True, "options": options}


def _find_before(settings: HostSettings, probe: Probe, digest: str) -> Speed | str:
    """The speed in the current release record; or why nothing can be compared with it."""
    record = current_record(probe)
    known = record.speed if record else None
    if not settings.manages_ollama:
        return "the external Ollama may be at work for other hosts"
    if known is None:
        return "the release record has no speed" if record else "the host has no release record yet"
    return _why_uncomparable(settings, known, digest) or known


def _spread(settings: HostSettings, probe: Probe, known: Speed) -> float:
    """The noise between runs: of two values, their difference by 1.128 estimates the standard deviation."""
    record = Record.parse(probe.files[paths.PREVIOUS_RECORD].content)
    older = record.speed if record else None
    if older is None or _why_uncomparable(settings, older, known.digest):
        return 0.0
    rates = known.tokens_per_second, older.tokens_per_second
    return abs(rates[0] - rates[1]) / (sum(rates) / 2) / 1.128


def _why_uncomparable(settings: HostSettings, known: Speed, digest: str) -> str:
    """Why a speed cannot be compared with that of today's model; empty if it can."""
    if (known.model, known.prompt) != (str(settings.model), PROMPT):
        return "another model or another prompt was measured before"
    if not digest or known.digest != digest:
        return f"{settings.model} is another model now, or its digest is unknown"
    if known.answers < LEAST_ANSWERS or known.tokens_per_second < LEAST_RATE:
        return "too few answers were measured before"
    return ""
