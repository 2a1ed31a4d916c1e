"""The managed Ollama and its firewall stay until the external Ollama is proven."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core import proof_record
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.firewall import firewall
from fleethands.operations.ollama import external as external_ollama
from fleethands.operations.proof import proof
from tests.helpers.external_ollama import EXTERNAL_PROOF, SERVICE_PROOF, add_service, declare_external, probe_external
from tests.hosts import bare


def test_ours_goes_once_the_other_is_proven_and_the_proof_stays() -> None:
    settings = declare_external()
    seen = add_service(probe_external(settings))

    waits = external_ollama.remove_managed.decide(settings, seen.with_file(paths.PROOF, SERVICE_PROOF))
    changes = external_ollama.remove_managed.decide(settings, seen.with_file(paths.PROOF, EXTERNAL_PROOF))

    assert isinstance(waits, Unchanged)
    assert "stays until" in waits.fact
    assert isinstance(changes, list)
    (change,) = changes
    assert isinstance(change, Change)
    assert change.keeps_proof
    assert change.script.values["files"] == paths.OLLAMA_UNIT
    assert isinstance(external_ollama.remove_managed.decide(settings, probe_external(settings)), Unchanged)


@pytest.mark.parametrize(
    ("record", "declares", "held"),
    [
        (EXTERNAL_PROOF, {}, True),
        (EXTERNAL_PROOF, {"ollama_address": "http://10.0.0.6:11434"}, False),
        (EXTERNAL_PROOF, {"models": ["tiny"]}, False),
        (SERVICE_PROOF, {}, False),
        (EXTERNAL_PROOF, {"ollama_runtime": "service", "ollama_address": None}, False),
        (SERVICE_PROOF, {"ollama_runtime": "service", "ollama_address": None}, True),
    ],
)
def test_a_proof_is_that_of_one_ollama(record: File, declares: dict[str, Any], held: bool) -> None:
    settings = declare_external(**declares)
    seen = bare(settings).with_file(paths.PROOF, record)

    decision = proof.prove.decide(settings, seen, recorded=settings)

    assert isinstance(decision, Unchanged if held else Change)
    assert proof_record.is_proven(settings, seen) is held


def test_the_firewall_goes_last_where_nothing_of_ours_listens() -> None:
    settings = declare_external()
    seen = probe_external(settings)
    seen = seen.replace(firewall=replace(seen.firewall, loaded="0" * 64))

    def decided(seen: Probe) -> Any:
        return firewall.narrow_rules.decide(settings, seen, render=lambda *_: "rules")

    waits, gone = decided(seen), decided(seen.with_file(paths.PROOF, EXTERNAL_PROOF))

    assert isinstance(waits, Unchanged)
    assert isinstance(gone, Change)
    assert gone.keeps_proof
    assert (gone.script.values["step"], gone.consequence) == ("remove_table", "")
    assert isinstance(decided(probe_external(settings)), Unchanged)
