"""What an operation decides, as a value, and the one way from a decision to pyinfra."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from pyinfra import logger
from pyinfra.api import operation as pyinfra_operation
from pyinfra.api.command import FileUploadCommand, FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.context import ctx_config, ctx_host, ctx_state

from fleethands import facts, paths
from fleethands.facts import Probe, ProbeError, UnknownSection
from fleethands.facts.files import ABSENT
from fleethands.operations.core import journal, lock_token, render_change, scripts
from fleethands.operations.ollama.transfer import Parcel, TransferError
from fleethands.script import Script
from fleethands.settings import HostSettings
from fleethands.text.sanitize import clean


@dataclass(frozen=True)
class Same:
    """Nothing to do; `fact` is a sentence of what is so, `notes` what a person should know of it all the same."""

    fact: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """This host alone can't go on; `hints` say what to do, with the next command."""

    reason: str
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """
    One change to a host: what it is now, what it will be, how, and the host as it will be then.

    + why: what makes it necessary, where `before` does not say it
    + consequence: what the host's users notice (a restart, a download and its size, a container's downtime)
    + diff: unified diff of a managed file, secrets masked
    + parcel: files that the controller sends before the script runs
    + notes: what a person should know of it besides
    + keeps_proof: what was proven before it is proven after it, as its script knows (common.sh)
    """

    subject: str
    before: str
    after: str
    script: Script
    then: Callable[[Probe], Probe] = lambda probe: probe
    why: str = ""
    consequence: str = ""
    diff: str = ""
    parcel: Parcel | None = None
    notes: tuple[str, ...] = ()
    keeps_proof: bool = False


HOST = "for this machine itself declare it as `host`"
Decision = Same | Refused | Change | list[Change]
P = ParamSpec("P")


# what of `scripts` a step needs besides owned.sh and common.sh
ALSO = {
    **dict.fromkeys(("container", "container_off", "sandboxes_off", "proof"), ("containers", "openhands")),
    **dict.fromkeys(("source_build", "source_off", "source_serve"), ("containers", "openhands")),
    **dict.fromkeys(("firewall", "firewall_write", "firewall_settle"), ("table",)),
    "release": ("web",),
}


def step(name: str, exports: Mapping[str, str] | None = None, /, **values: str) -> Script:
    """The script `NAME.sh`, or the parts in the folder `NAME`, behind what they call, with its variables."""
    body = "".join(scripts.read(each) for each in ("owned", "common", *ALSO.get(name, ()), name))
    return Script(body, {"step": name, "run": "", **values}, dict(exports or {}))


def operation(decide: Callable[Concatenate[HostSettings, Probe, P], Decision]) -> Any:
    """
    Make a pyinfra operation of a pure decision.

    The operation takes `settings` and the rest; the probe is this host's own. A Change runs as one remote command and
    voids the probe; in a plan it only moves what later operations foresee. A Refused fails this host and no other.
    `operation.decide` is the decision itself.
    """

    @wraps(decide)
    def run(settings: HostSettings, *args: P.args, **kwargs: P.kwargs) -> Iterator[Any]:
        host = ctx_host.get()
        if facts.is_refused():
            host.noop("this host was refused above")
            return
        try:
            decision = decide(settings, facts.get_probe(settings), *args, **kwargs)
        except (ProbeError, UnknownSection) as error:
            decision = Refused(
                str(error), getattr(error, "hints", ()) or (f"look for yourself: `{facts.ssh_command(host)}`",)
            )
        if _sends(decision) and host.connector_cls.__name__ == "LocalConnector":
            decision = Refused("`ollama_transfer`: `controller` sends to other machines", (HOST,))
        journal.record(decision, is_change=isinstance(decision, Change | list))
        if isinstance(decision, Same):
            _remark(decision.notes)
            host.noop(decision.fact)
        elif isinstance(decision, Refused):
            yield from _refuse(decision)
        else:
            yield from _carry_out(decision if isinstance(decision, list) else [decision])

    del run.__wrapped__  # pyinfra binds arguments to the signature it finds
    made: Any = pyinfra_operation()(run)
    made.decide = decide
    return made


def _sends(decision: Decision) -> bool:
    return any(getattr(each, "parcel", None) for each in (decision if isinstance(decision, list) else [decision]))


def _refuse(refused: Refused) -> Iterator[Any]:
    if not ctx_state.get().is_executing:  # a plan takes the first command as a sign, and runs none
        _say(ctx_state.get(), ctx_host.get(), refused)
        facts.current_session().probes.refuse()
    yield FunctionCommand(_say, [refused], {})


def _carry_out(changes: Sequence[Change]) -> Iterator[Any]:
    if not ctx_state.get().is_executing:
        _tell(changes)
        probes = facts.current_session().probes
        for change in changes:
            seen = probes.predicted
            probes.predict(change.then(seen if change.keeps_proof else seen.with_file(paths.PROOF, ABSENT)))
        yield changes[0].script.command
        return
    try:
        for change in changes:
            for source, name in change.parcel.uploads() if change.parcel else ():
                yield FileUploadCommand(source, name)
            yield change.script.having(run=lock_token.token(ctx_host.get())).command
    except TransferError as error:
        address = next(each.parcel.listed_at for each in changes if each.parcel)
        refused = Refused(str(error), (f"on this machine: curl -fIL {shlex.quote(address)}", "then run it again"))
        journal.record(refused, is_change=False)
        yield from _refuse(refused)
    finally:
        facts.invalidate_probe()


def _tell(changes: Sequence[Change]) -> None:
    host, name = ctx_host.get(), journal.current_name()
    for change in changes:
        for line in render_change.lines(name, change.subject, change, diff=ctx_config.get().DIFF):
            logger.info(f"{host.print_prefix}{clean(line)}")
        _remark(change.notes)


def _remark(notes: Sequence[str]) -> None:
    if not ctx_state.get().is_executing:
        for note in notes:
            logger.warning(f"{ctx_host.get().print_prefix}note: {clean(note)}")


def _say(state: State, host: Host, refused: Refused) -> bool:
    """Fails this host and no other; pyinfra wants both parameters by name, else it drops the False."""
    logger.error(f"{host.print_prefix}error: {clean(refused.reason)}")
    for hint in refused.hints:
        logger.error(f"{host.print_prefix}hint: {clean(hint)}")
    return False


__all__ = ["Change", "Decision", "Refused", "Same", "operation", "step"]
