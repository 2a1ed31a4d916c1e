"""Keeps one probe a host: asked for once, forgotten when an operation changed something."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from pyinfra.api.host import Host
from pyinfra.context import ctx_host, ctx_state

from fleethands import streams
from fleethands.facts.framing import ProbeError
from fleethands.facts.no_answer import ProbeFailed, explain_failure
from fleethands.facts.probe import Probe
from fleethands.facts.probe_fact import HostProbe, ProbeRequest, parse_probe
from fleethands.settings import HostSettings

WHOLE = 120  # seconds for one probe: its parts have limits of their own, of 5 to 15 s
FRESH = 60.0  # seconds between a plan and its confirmation after which hosts are asked again


@dataclass
class _Kept:
    seen: Probe
    foreseen: Probe
    at: float
    settings: HostSettings
    refused: bool = False
    running: bool = False  # a run began with it
    outdated: bool = False  # something changed since; what upstream offers did not


_kept: WeakKeyDictionary[Host, _Kept] = WeakKeyDictionary()
_mute: WeakKeyDictionary[Host, ProbeError] = WeakKeyDictionary()  # a plan asks such a host once
_refused: WeakSet[Host] = WeakSet()  # of these


def get_probe(settings: HostSettings) -> Probe:
    """
    The host of this context: as it is while operations run, as it will be by then while a plan is made.

    Raises ProbeError when the host's answer can't be read whole, or there is none.
    """
    host, executing = ctx_host.get(), ctx_state.get().is_executing
    kept = _kept.get(host)
    if kept is not None and kept.settings != settings:
        kept.settings, kept = settings, kept if _asks_the_same(kept.settings, settings) else None
    outdated = kept is not None and kept.outdated
    if kept is not None and not outdated and (not executing or kept.running or time.monotonic() - kept.at < FRESH):
        kept.running = executing
        return kept.seen if executing else kept.foreseen
    if not executing and host in _mute:
        raise _mute[host]
    streams.use_limited_streams()  # stock pyinfra has it, too, once it asks
    question = ProbeRequest.about(settings, upstream=not outdated)
    asked = time.time()
    try:
        seen = parse_probe(_answer(host, question), question, (asked, time.time()))
    except ProbeFailed as error:
        _mute[host] = error
        raise
    if kept is not None and outdated:
        seen = seen.having(upstream=kept.seen.sections["upstream"])
    _kept[host] = _Kept(seen, seen, time.monotonic(), settings, running=executing)
    return seen


def _answer(host: Host, question: ProbeRequest) -> list[str]:
    """The lines of the probe. Raises NoAnswer with what the host says instead."""
    with _overheard(host, question.script) as said:
        # without it pyinfra would fail the host for a reason of its own, and hide what the host says
        lines = host.get_fact(HostProbe, _stdin=question.script, _timeout=WHOLE, _ignore_errors=True)
    if lines is None or not any(line.startswith(question.mark) for line in lines):
        raise explain_failure(said, host)
    return list(lines)


@contextmanager
def _overheard(host: Host, script: str) -> Iterator[list[str]]:
    """All that a host says to a script, which pyinfra drops where the command fails."""
    send, heard = host.connector.run_shell_command, list[str]()

    def listening(*args: Any, **options: Any) -> Any:
        done, said = send(*args, **options)
        if options.get("_stdin") == script:
            heard.extend(said.output_lines)
        return done, said

    host.connector.run_shell_command = listening
    try:
        yield heard
    finally:
        host.connector.run_shell_command = send


def cached_probe(host: Host) -> Probe | None:
    """A host as it was when it was last asked; None when something changed on it since."""
    kept = _kept.get(host)
    return kept.seen if kept else None


def _asks_the_same(one: HostSettings, other: HostSettings) -> bool:
    return ProbeRequest(one, "").script == ProbeRequest(other, "").script


def probed_settings(host: Host) -> HostSettings | None:
    """The settings that a host was looked at by last; None where it never was."""
    kept = _kept.get(host)
    return kept.settings if kept else None


def invalidate() -> None:
    """Something changed on the host of this context: ask it anew."""
    if kept := _kept.get(ctx_host.get()):
        kept.outdated = True


def outdate(host: Host) -> None:
    """Another run changed a host since it was asked: its operations decide anew."""
    if kept := _kept.get(host):
        kept.outdated = True


def predict(probe: Probe) -> None:
    """While a plan is made: later operations start from this."""
    _kept[ctx_host.get()].foreseen = probe


def predicted() -> Probe:
    """The host of this context as the plan has it so far."""
    return _kept[ctx_host.get()].foreseen


def refuse() -> None:
    """While a plan is made: this host will go no further."""
    host = ctx_host.get()
    if kept := _kept.get(host):
        kept.refused = True
    elif host in _mute:
        _refused.add(host)


def is_refused() -> bool:
    """Whether the plan being made has refused the host of this context."""
    host = ctx_host.get()
    kept = _kept.get(host)
    return (kept.refused if kept else host in _refused) and not ctx_state.get().is_executing
