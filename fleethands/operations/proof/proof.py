"""Proves on a host that the service works, link by link, from Ollama to an answer in OpenHands."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core.decision import APPLY_HINT, Change, Decision, Place, Refused, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.core.proof_record import (
    Link,
    all_hold,
    broken_since,
    is_of_declared_ollama,
    read_links,
)
from fleethands.operations.core.release_record import NO_RECORD, RecordVariables, new_record
from fleethands.operations.proof.gateway_variables import GatewayVariables, gateway_variables
from fleethands.operations.proof.ollama_variables import (
    OllamaVariables,
    PromptVariables,
    ollama_variables,
    prompt_request,
    prompt_variables,
)
from fleethands.operations.proof.openhands_variables import (
    ChoiceVariables,
    OpenHandsVariables,
    ValidationVariables,
    choice_variables,
    declared_choice,
    openhands_variables,
    validation_variables,
)
from fleethands.operations.proof.page_variables import PageVariables, page_variables
from fleethands.operations.proof.speed_variables import SpeedVariables, speed_variables, uncompared_speed
from fleethands.script import Script
from fleethands.settings import HostSettings

PROVEN = File("file", "0644", owner="root:root", content=b"all\tok\t0\t\n")
REQUESTED = "it was asked for"
WHY = {
    "unproven": "no proof was made since the last change",
    "broken": "the last proof failed",
    "broken later": "the sentinel found a broken link since",
    "of another Ollama": "the last proof was made with that",
    "disturbed": "another operation of this run changed the host since",
}


@dataclass(frozen=True, kw_only=True)
class Prove(HostScript, file="proof", parts=("containers", "openhands", "json")):
    """
    Tries each link, and writes down what it showed.

    + record: the file of the proof
    + apply: the hint of what an apply repairs
    + deep: hold a whole conversation
    """

    record: str = paths.PROOF
    apply: str = APPLY_HINT
    deep: bool
    prompt: PromptVariables
    ollama: OllamaVariables
    gateway: GatewayVariables
    page: PageVariables
    openhands: OpenHandsVariables
    validation: ValidationVariables
    choice: ChoiceVariables
    speed: SpeedVariables
    release: RecordVariables


@operation
def prove(
    settings: HostSettings,
    probe: Probe,
    when: str = "changed",
    deep: bool = False,
    recorded: HostSettings | None = None,
    disturbed: bool = False,
    max_slowdown: str = "",
) -> Decision:
    """
    Prove that a prompt gets an answer. A proof holds until the next change.

    + when: `changed`, `always` even if the last proof holds, or `never` whatever changed
    + deep: with a conversation, which is removed afterwards
    + recorded: the settings for the release record that a proof writes; None: it writes none
    + disturbed: someone else's operation changed the host in this run, so the last proof says nothing
    + max_slowdown: by how much the host may be slower than its release record, such as `20%`; empty for no limit
    """
    links, later = read_links(probe), broken_since(probe)
    held = all_hold(links) and is_of_declared_ollama(settings, links) and not disturbed and later is None
    if needless := _why_needless(settings, links, held, when):
        return Unchanged(needless)
    before = "proven" if held else _describe_last(links, disturbed, later is not None)
    release = new_record(recorded, probe) if recorded else NO_RECORD
    try:
        script = _prove(settings, probe, deep, max_slowdown, release).script
    except ValueError as error:
        return Refused(f"`fleethands_max_slowdown`: {error}")
    return Change(
        "proof",
        before,
        "proven",
        script,
        lambda probe: probe.with_file(paths.PROOF, PROVEN),
        why=REQUESTED if held else WHY[before],
        consequence=f"loads {settings.model} and asks it a few short questions",
        writes_record=release.is_new,
        place=Place.LAST,
    )


def _why_needless(settings: HostSettings, links: list[Link], held: bool, when: str) -> str:
    """Why no proof is made; empty if one is."""
    if when == "never":
        return "no proof was asked for"
    if held and when != "always":
        return f"{len(links)} links proven since the last change"
    return "" if settings.model else "no model is declared, so there is nothing to ask"


def _describe_last(links: list[Link], disturbed: bool, broke_later: bool) -> str:
    """What is wrong with the last proof; a key of `WHY`."""
    if not links:
        return "unproven"
    if not all_hold(links):
        return "broken"
    if broke_later:
        return "broken later"
    return "disturbed" if disturbed else "of another Ollama"


def standing_proof(settings: HostSettings, record: str) -> Script:
    """
    The proof as a host makes it later, without a controller: all follows from the settings, and nothing from the host.

    + record: the file that the links are written to
    """
    script = Prove(
        record=record,
        deep=False,
        prompt=prompt_variables(settings),
        ollama=ollama_variables(settings, None),
        openhands=openhands_variables(settings),
        validation=validation_variables(settings),
        choice=declared_choice(settings),
        gateway=gateway_variables(settings),
        page=page_variables(settings),
        speed=uncompared_speed(settings, prompt_request(settings), "a host alone compares no speed"),
        release=NO_RECORD,
    ).script
    return script.with_values(keeps_proof="yes")


def _prove(settings: HostSettings, probe: Probe, deep: bool, max_slowdown: str, release: RecordVariables) -> Prove:
    """Raises ValueError for a limit that is no percentage."""
    return Prove(
        deep=deep,
        prompt=prompt_variables(settings),
        ollama=ollama_variables(settings, probe),
        gateway=gateway_variables(settings),
        page=page_variables(settings),
        openhands=openhands_variables(settings),
        validation=validation_variables(settings),
        choice=choice_variables(settings, probe),
        speed=speed_variables(settings, probe, prompt_request(settings), max_slowdown),
        release=release,
    )
