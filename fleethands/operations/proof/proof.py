"""Proves on a host that the service works, link by link, from Ollama to an answer in OpenHands."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core.decision import APPLY_HINT, Change, Decision, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.core.proof_record import Link, all_hold, is_of_declared_ollama, read_links
from fleethands.operations.core.release_record import NO_RECORD, RecordVariables, new_record
from fleethands.operations.proof.ollama_variables import (
    OllamaVariables,
    PromptVariables,
    ollama_variables,
    prompt_variables,
)
from fleethands.operations.proof.openhands_variables import (
    ChoiceVariables,
    OpenHandsVariables,
    ValidationVariables,
    choice_variables,
    openhands_variables,
    validation_variables,
)
from fleethands.settings import HostSettings

REQUESTED = "it was asked for"
WHY = {
    "unproven": "no proof was made since the last change",
    "broken": "the last proof failed",
    "of another Ollama": "the last proof was made with that",
    "disturbed": "another operation of this run changed the host since",
}


@dataclass(frozen=True, kw_only=True)
class Prove(HostScript, file="proof", parts=("containers", "openhands")):
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
    openhands: OpenHandsVariables
    validation: ValidationVariables
    choice: ChoiceVariables
    release: RecordVariables


@operation
def prove(
    settings: HostSettings,
    probe: Probe,
    force: bool = False,
    deep: bool = False,
    never: bool = False,
    recorded: HostSettings | None = None,
    disturbed: bool = False,
) -> Decision:
    """
    Prove that a prompt gets an answer. A proof holds until the next change.

    + force: even if the last proof holds
    + deep: with a conversation, which is removed afterwards
    + never: make no proof, whatever changed
    + recorded: the settings for the release record that a proof writes; None: it writes none
    + disturbed: someone else's operation changed the host in this run, so the last proof says nothing
    """
    if never:
        return Unchanged("no proof was asked for")
    links = read_links(probe)
    held = all_hold(links) and is_of_declared_ollama(settings, links) and not disturbed
    if held and not force:
        return Unchanged(f"{len(links)} links proven since the last change")
    if settings.model is None:
        return Unchanged("no model is declared, so there is nothing to ask")
    before = "proven" if held else _describe_last(links, disturbed)
    release = new_record(recorded, probe) if recorded else NO_RECORD
    proven = File("file", "0644", owner="root:root", content=b"all\tok\t0\t\n")
    return Change(
        "proof",
        before,
        "proven",
        _prove(settings, probe, deep, release).script,
        lambda probe: probe.with_file(paths.PROOF, proven),
        why=REQUESTED if held else WHY[before],
        consequence=f"loads {settings.model} and asks it a short question",
        writes_record=release.is_new,
    )


def _describe_last(links: list[Link], disturbed: bool) -> str:
    """What is wrong with the last proof; a key of `WHY`."""
    if not links:
        return "unproven"
    if not all_hold(links):
        return "broken"
    return "disturbed" if disturbed else "of another Ollama"


def _prove(settings: HostSettings, probe: Probe, deep: bool, release: RecordVariables) -> Prove:
    return Prove(
        deep=deep,
        prompt=prompt_variables(settings),
        ollama=ollama_variables(settings, probe),
        openhands=openhands_variables(settings),
        validation=validation_variables(settings),
        choice=choice_variables(settings, probe),
        release=release,
    )
