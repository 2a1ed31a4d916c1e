"""A rollback is refused when its record, model or image has changed."""

from __future__ import annotations

import json

import pytest

from fleethands import paths
from fleethands.facts.docker import Container, Docker
from fleethands.operations.core.decision import Refused, Unchanged
from fleethands.operations.rollback import rollback
from fleethands.settings.values.images import at_digest
from tests.helpers.release_records import (
    CURRENT,
    IMAGE_DIGEST,
    IMAGE_ID,
    PROVEN,
    RECORDS,
    probe_with_files,
    render_record,
)
from tests.hosts import bare, declared


def test_records_that_moved_since_the_plan_are_refused() -> None:
    way = rollback.find_target(declared(), probe_with_files(**RECORDS, **PROVEN))
    assert isinstance(rollback.check_target.decide(way.settings_to_apply, probe_with_files(**RECORDS), way), Unchanged)

    moved = probe_with_files(
        **{paths.CURRENT_RECORD: render_record(declared()), paths.PREVIOUS_RECORD: render_record(CURRENT)}
    )

    assert isinstance(rollback.check_target.decide(way.settings_to_apply, moved, way), Refused)


def test_a_model_that_is_another_by_now_is_told() -> None:
    way = rollback.find_target(
        declared(),
        probe_with_files(
            **{paths.CURRENT_RECORD: render_record(CURRENT, bare().replace(models={"codellama:7b": "a" * 64}))}
        ),
    )

    decision = rollback.check_target.decide(
        way.settings_to_apply,
        probe_with_files(**{paths.CURRENT_RECORD: _text(way)}).replace(models={"codellama:7b": "b"}),
        way,
    )

    assert decision.notes[1:] == (
        "codellama:7b is another model now: its tag moved, and Ollama keeps one model for each name",
    )


def _text(way: rollback.RollbackTarget) -> str:
    known = way.record
    return json.dumps({"schema": 1, **known.__dict__}) if known else ""


PULL = f"on the host: docker pull {at_digest(declared().openhands_image, IMAGE_DIGEST)}"


@pytest.mark.parametrize(
    ("digests", "hints"),
    [
        ({IMAGE_DIGEST}, (PULL, "then run it again")),
        (set(), ("apply the inventory instead", "on this machine: fleethands apply")),
    ],
)
def test_a_host_whose_image_of_then_is_gone_is_refused(digests: set[str], hints: tuple[str, ...]) -> None:
    then = Docker(True, "26", Container("c1", "running", IMAGE_ID, {}, ""), IMAGE_ID, frozenset(digests))
    seen = probe_with_files(**{paths.CURRENT_RECORD: render_record(CURRENT, bare().replace(docker=then))})
    way = rollback.find_target(declared(), seen)

    there = rollback.check_target.decide(way.settings_to_apply, seen.replace(docker=Docker(True, "26")), way)
    gone = rollback.check_target.decide(
        way.settings_to_apply, seen.replace(docker=Docker(True, "26", gone=frozenset({IMAGE_ID}))), way
    )

    assert isinstance(there, Unchanged)
    assert gone == Refused(f"the image from that release was removed from the host: {IMAGE_ID}", hints)
