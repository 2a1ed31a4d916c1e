"""
Finds the changes that follow a change and that the plan foresees, so that they travel with it in one remote command.

The decisions are made by the same functions as in the plan, from the probe as each change predicts it. A change whose
outcome is not foreseen, an operation of someone else, a condition or a proof ends the sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS
from pyinfra.context import ctx_host, ctx_state

from fleethands.facts import Probe, ProbeError, UnknownSection
from fleethands.facts import foreign_operations as foreign
from fleethands.facts.host_session import session_of
from fleethands.facts.probe_request import ProbeRequest
from fleethands.operations.core import lock_token
from fleethands.operations.core.decision import Change, Decision, Place, Refused, changes_of
from fleethands.operations.core.sequence import Sequence, Step

Decide = Callable[[Probe], Decision]
ScriptOf = Callable[[Change], str]
CHANGING = ("_if", "_retries", "_timeout", "_ignore_errors", "_continue_on_error", "_get_pty")


def make_sequence(decision: Decision, script_of: ScriptOf) -> Sequence | None:
    """
    The sequence that begins with a decision of the context's operation; None if its scripts have to be sent one by one.

    + script_of: the script of a change, as the host's shell takes it
    """
    host = ctx_host.get()
    session = session_of(host)
    settings, operation = session.probes.settings, host.current_op_hash
    if settings is None or not _can_begin(host, operation) or any(change.upload for change in changes_of(decision)[1:]):
        return None
    decisions = {operation: decision, **dict(_following(host, operation, decision))}
    while not changes_of(decisions[last := next(reversed(decisions))]):  # it is decided again, from the real probe
        del decisions[last]
    steps = [Step(name, script_of(change)) for name, each in decisions.items() for change in changes_of(each)]
    return Sequence(decisions, steps, ProbeRequest.create(settings, upstream=False))


def _can_begin(host: Any, operation: str) -> bool:
    """Whether the host's lock is this run's, and SSH reaches it, so that it is left if this process dies."""
    is_remote = getattr(host.connector, "client", None) is not None
    return bool(lock_token.token(host)) and is_remote and not foreign.is_nested(host) and _is_plain(host, operation)


def _is_plain(host: Any, operation: str) -> bool:
    given = ctx_state.get().ops[host][operation].global_arguments
    return not any(given.get(name) for name in CHANGING)


def _connector_arguments(host: Any, operation: str) -> dict[str, Any]:
    given = ctx_state.get().ops[host][operation].global_arguments
    return {key: given[key] for key in CONNECTOR_ARGUMENT_KEYS if key in given}


def _following(host: Any, operation: str, first: Decision) -> Iterator[tuple[str, Decision]]:
    """Operations behind the first one, and their decisions, as far as the plan foresees them."""
    session, arguments = session_of(host), _connector_arguments(host, operation)
    probe, decision = session.probes.latest, first
    for name in _operations_after(host, operation):
        if probe is None or not _is_foreseen(decision):
            return
        for change in changes_of(decision):
            probe = change.predict_with_proof(probe)
        decide: Decide | None = session.planned.get(name)
        if decide is None or not _is_plain(host, name) or _connector_arguments(host, name) != arguments:
            return
        try:
            decision = decide(probe)
        except (ProbeError, UnknownSection):
            return
        if isinstance(decision, Refused) or not _may_follow(decision):
            return
        yield name, decision


def _operations_after(host: Any, operation: str) -> Iterator[str]:
    state = ctx_state.get()
    order = state.get_op_order()
    return (name for name in order[order.index(operation) + 1 :] if name in state.ops[host])


def _is_foreseen(decision: Decision) -> bool:
    return all(change.place is Place.WITHIN for change in changes_of(decision))


def _may_follow(decision: Decision) -> bool:
    return all(change.place is not Place.ALONE and not change.upload for change in changes_of(decision))
