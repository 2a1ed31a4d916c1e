"""Turns a decision into a pyinfra operation: a plan predicts it, a run executes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from pyinfra import logger
from pyinfra.api import operation as pyinfra_operation
from pyinfra.api.command import FileUploadCommand, FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.context import ctx_config, ctx_host, ctx_state

from fleethands import facts
from fleethands.facts import Probe, ProbeError, UnknownSection
from fleethands.facts.host_session import session_of
from fleethands.operations.core import foreign_changes, journal, lock_token
from fleethands.operations.core.confirmation_key import key_for_scripts
from fleethands.operations.core.decision import Change, Decision, Refused, Unchanged, changes_of
from fleethands.operations.core.late import resolve
from fleethands.operations.core.look_ahead import make_sequence
from fleethands.operations.core.render_change import render_change
from fleethands.operations.core.step_command import StepCommand
from fleethands.operations.core.upload import UploadError
from fleethands.settings import HostSettings
from fleethands.text.sanitize import sanitize

P = ParamSpec("P")
Commands = Iterator[Any]  # pyinfra's; a plan counts them, and runs none


def operation(decide: Callable[Concatenate[HostSettings, Probe, P], Decision]) -> Any:
    """
    Make a pyinfra operation of a pure decision.

    The operation takes `settings` and the rest of the decision's parameters; the probe is that of the host. A keyword
    argument may be `Late`. The decision itself stays available as `operation.decide`.

    Example:

        @operation
        def write_motd(settings: HostSettings, probe: Probe) -> Decision:
            if probe.files["/etc/motd"].content == b"hello":
                return Unchanged("/etc/motd greets")
            return Change("/etc/motd", "differs", "greets", WriteFile("/etc/motd", ...).script)
    """

    @wraps(decide)
    def run(settings: HostSettings, *args: P.args, **kwargs: P.kwargs) -> Commands:
        host, executing = ctx_host.get(), ctx_state.get().is_executing
        session, name = session_of(host), host.current_op_hash
        session.own_operations.add(name)
        if session.probes.is_refused and not executing:
            host.noop("this host was refused above")
            return
        if not executing:
            session.planned[name] = lambda probe: decide(settings, probe, *args, **resolve(kwargs))
        ahead: Decision | None = session.sequence.decisions.get(name) if session.sequence else None
        decision = ahead or _decide(lambda: decide(settings, facts.get_probe(settings), *args, **resolve(kwargs)))
        journal.record(decision)
        yield from _execute(decision) if executing else _plan(decision)

    del run.__wrapped__  # pyinfra binds arguments to the signature it finds
    made: Any = pyinfra_operation()(run)
    made.decide = decide
    return made


def _decide(decide: Callable[[], Decision]) -> Decision:
    """The decision; a host that cannot be read, or sent to, is refused."""
    host = ctx_host.get()
    try:
        decision = decide()
    except (ProbeError, UnknownSection) as error:
        return Refused(str(error), getattr(error, "hints", ()) or (f"check by hand: `{facts.ssh_command(host)}`",))
    if any(change.stream for change in changes_of(decision)) and getattr(host.connector, "client", None) is None:
        return Refused(f"a bundle cannot be sent by {host.connector_cls.__name__}", ("reach the host by SSH",))
    uploads = any(change.upload for change in changes_of(decision))
    if uploads and host.connector_cls.__name__ == "LocalConnector":
        hint = "for this machine itself declare it as `host`"
        return Refused("`ollama_transfer`: `controller` sends to other machines", (hint,))
    return decision


def _plan(decision: Decision) -> Commands:
    """Show a decision, and predict the host for the operations that follow."""
    _log_notes(foreign_changes.take_notes())
    if isinstance(decision, Unchanged):
        _log_notes(decision.notes)
        ctx_host.get().noop(decision.fact)
    elif isinstance(decision, Refused):
        _fail(ctx_state.get(), ctx_host.get(), foreign_changes.add_hint(decision))
        facts.refuse()
        yield FunctionCommand(_fail, [decision], {})
    else:
        changes = changes_of(decision)
        for change in changes:
            _log_change(change)
            facts.predict(change.predict_with_proof(facts.predicted()))
        yield changes[0].script.command


def _execute(decision: Decision) -> Commands:
    """Run a decision's scripts; the host is probed again after them."""
    if isinstance(decision, Unchanged):
        ctx_host.get().noop(decision.fact)
    elif isinstance(decision, Refused):
        yield FunctionCommand(_fail, [decision], {})
    else:
        try:
            for change in changes_of(decision):
                yield from _run_change(change, decision)
        except UploadError as error:
            refused = Refused(error.problem.message, error.hints)
            journal.record(refused)
            yield FunctionCommand(_fail, [refused], {})
        finally:
            facts.invalidate()


def _run_change(change: Change, decision: Decision) -> Commands:
    for source, name in change.upload.files() if change.upload else ():
        yield FileUploadCommand(source, name)
    if change.stream is not None:
        yield change.stream.command(_text(change))
    else:
        yield StepCommand(_text(change), lambda: make_sequence(decision, _text))


def _text(change: Change) -> str:
    """The script of a change in this run, as the host's shell takes it."""
    host = ctx_host.get()
    variables = run_variables(change, lock_token.token(host), key_for_scripts(host))
    return change.script.with_values(**variables).text


def run_variables(change: Change, token: str, key: str = "") -> dict[str, str]:
    """The variables of its run that each script gets (common.sh, await_confirmation.sh)."""
    return {"run": token, "confirms": key, "keeps_proof": "yes" if change.keeps_proof else ""}


def _fail(state: State, host: Host, refused: Refused) -> bool:
    """Fail this host and no other. pyinfra wants both parameters under these names, else it drops the False."""
    logger.error(f"{host.print_prefix}error: {sanitize(refused.reason)}")
    for hint in refused.hints:
        logger.error(f"{host.print_prefix}hint: {sanitize(hint)}")
    return False


def _log_change(change: Change) -> None:
    config = ctx_config.get() if ctx_config.isset() else ctx_state.get().config  # pyinfra's API sets only the latter
    for line in render_change(journal.current_name(), change.subject, change, diff=config.DIFF):
        logger.info(f"{ctx_host.get().print_prefix}{sanitize(line)}")
    _log_notes(change.notes)


def _log_notes(notes: Sequence[str]) -> None:
    for note in notes:
        logger.warning(f"{ctx_host.get().print_prefix}note: {sanitize(note)}")
