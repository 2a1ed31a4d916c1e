"""A host with nothing left to do keeps its facts as packed text, and no report shows a difference."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleethands.facts.ollama import Ollama
from fleethands.report.host_summary import drop_probe, status_cells
from fleethands.report.model import HostReport, Report
from fleethands.report.redaction import Mask
from fleethands.report.report_text import report_text
from tests.helpers import reports
from tests.hosts import bare

SEEN = bare().replace(ollama=Ollama("0.24.0"), models={"codellama:7b": "d" * 64})
ODD = SEEN.replace(models={"m\x1b[31m:1": "d", "ü:1": "e\u202e"})
SECRETS: list[list[str]] = [[], ["d" * 12], ["0.24.0"], ["*"], ["codellama:7b", *(f"secret-{n}" for n in range(200))]]


def both(seen: Any, secrets: list[str]) -> tuple[HostReport, HostReport]:
    """The same host with its probe, and packed."""
    full, packed = HostReport("unchanged", probe=seen), HostReport("unchanged", probe=seen)
    drop_probe(packed)
    for host in (full, packed):
        host.mask_all(Mask(secrets))
    return full, packed


@pytest.mark.parametrize("secrets", SECRETS)
@pytest.mark.parametrize("seen", [SEEN, ODD])
def test_a_packed_host_has_the_same_facts_and_the_same_row(seen: Any, secrets: list[str]) -> None:
    full, packed = both(seen, secrets)

    assert packed.probe is None
    assert packed.has_facts
    assert packed.to_json() == full.to_json()
    assert json.loads(packed.facts_text) == full.facts
    assert status_cells("gpu-1", packed) == status_cells("gpu-1", full)


def test_a_packed_host_takes_little_memory() -> None:
    _, packed = both(SEEN, [])

    assert packed.packed is not None
    assert len(packed.packed.data) < 4 << 10


@pytest.mark.parametrize("hosts", [{}, {"b": reports.failed(), "a": reports.changed(), 'c "1"': both(ODD, [])[1]}])
def test_the_text_of_a_report_is_its_document(hosts: dict[str, HostReport]) -> None:
    report = Report("plan", hosts, reports.NOON, 42.0, hints=["one\ntwo"])

    text = "".join(report_text(report))

    assert json.loads(text) == report.to_json()
    assert text.endswith("}\n")
    assert '\n  "result": ' in text
